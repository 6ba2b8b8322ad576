/* oxlint-disable typescript/no-unsafe-type-assertion -- rows that the types forbid */
/* oxlint-disable vitest/expect-expect -- `expectDataError` does */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnalysisRun, Experiment } from '../../../../src/entities.ts';
import {
  DanglingReferenceError,
  DataError,
  DuplicateError,
  InvalidValueError,
  type UnitOfWork,
} from '../../../../src/index.ts';
import { loadRows } from '../../../../src/loading/index.ts';
import { TestDatabase, anExperiment } from '../../../../src/testing/index.ts';
import { canary, type Kind } from '../../../database/reported-error.ts';
import { caughtIn, expectDataError, shown, type Work } from './caught-errors.ts';

describe('the error of a refused row, caught inside a unit of work', () => {
  let db: TestDatabase;
  let existing: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
    existing = (await db.transact(async ({ em }) => anExperiment(em, { name: canary }))).id;
  });
  afterAll(() => db.drop());

  const caught = (work: Work): Promise<unknown> => caughtIn(db, work);

  type Row = Readonly<Record<string, unknown>>;
  const hypothesis = canary;
  const refusedRows: Readonly<Record<string, readonly [Kind, () => Row]>> = {
    'unique key': [DuplicateError, () => ({ id: existing, name: canary, hypothesis })],
    check: [InvalidValueError, () => ({ name: ' ', hypothesis })],
    'not null': [InvalidValueError, () => ({ name: canary, hypothesis: null })],
    'enumerated value': [InvalidValueError, () => ({ name: canary, hypothesis, status: canary })],
    'text with U+0000': [InvalidValueError, () => ({ name: `${canary}\0`, hypothesis })],
    date: [InvalidValueError, () => ({ name: canary, hypothesis, createdAt: canary })],
  };

  const complete = (row: Row): never => ({ createdAt: new Date(), ...row }) as never;
  const writers: Readonly<Record<string, (uow: UnitOfWork, row: Row) => Promise<unknown>>> = {
    'a repository and its read': async ({ experiments }, row) => {
      experiments.add(row as never);
      await experiments.pageSummaries();
    },
    'uow.flush': async (uow, row) => {
      uow.em.create(Experiment, row as never);
      await uow.flush();
    },
    'em.flush': async ({ em }, row) => {
      em.create(Experiment, row as never);
      await em.flush();
    },
    'em.flush of many': async ({ em }, row) => {
      anExperiment(em);
      em.create(Experiment, row as never);
      await em.flush();
    },
    'em.insert': async ({ em }, row) =>
      em.insert(Experiment, complete({ id: `exp_${'9'.repeat(8)}`, ...row })),
    'em.insertMany': async ({ em }, row) =>
      em.insertMany(Experiment, [complete({ id: `exp_${'9'.repeat(8)}`, ...row })]),
    'em.upsert': async ({ em }, row) =>
      em.upsert(Experiment, complete({ ...row, id: `exp_${'8'.repeat(8)}` })),
    'em.upsertMany': async ({ em }, row) =>
      em.upsertMany(Experiment, [complete({ ...row, id: `exp_${'8'.repeat(8)}` })]),
    'em.nativeUpdate': async ({ em }, row) => {
      const other = anExperiment(em);
      await em.flush();
      await em.nativeUpdate(Experiment, { id: other.id }, row);
    },
    Kysely: async ({ em }, { createdAt = new Date(), ...row }) =>
      em
        .getKysely<Record<string, Row>>()
        .insertInto('experiments')
        .values({ id: `exp_${'9'.repeat(8)}`, ...row, created_at: createdAt })
        .execute(),
    'an inner unit': async (uow, row) =>
      uow.transact(async ({ em }) => void em.create(Experiment, row as never)),
    'em.transactional': async ({ em }, row) =>
      em.transactional(async (inner) => void inner.create(Experiment, row as never)),
    'a fork': async ({ em }, row) => {
      const fork = em.fork({ keepTransactionContext: true });
      fork.create(Experiment, row as never);
      await fork.flush();
    },
    COPY: (uow, row) => loadRows(uow, { entity: Experiment, mode: 'append', rows: [complete(row)] as never }),
    'staged COPY': (uow, row) =>
      loadRows(uow, { entity: Experiment, mode: 'delete_insert', rows: [complete(row)] as never }),
  };
  // These update the row instead, or refuse nothing.
  const accepted: ReadonlySet<string> = new Set([
    'unique key by em.upsert',
    'unique key by em.upsertMany',
    'unique key by staged COPY',
  ]);
  // These throw an error of the package before anything is sent.
  const loaded: ReadonlySet<string> = new Set(['COPY', 'staged COPY']);

  test.each(
    Object.entries(refusedRows).flatMap(([rule, [kind, row]]) =>
      Object.entries(writers)
        .filter(([writer]) => !accepted.has(`${rule} by ${writer}`))
        .map(([writer, write]) => ({ rule, writer, kind, row, write })),
    ),
  )('$rule by $writer', async ({ writer, kind, row, write }) => {
    const failure = await caught((uow) => write(uow, row()));

    if (!loaded.has(writer)) return expectDataError(failure, kind);
    expect(failure).toBeInstanceOf(DataError);
    expect(shown(failure)).not.toContain(canary);
  });

  const dangling: Readonly<Record<string, Work>> = {
    'experimentDocuments.saveDocument': ({ experimentDocuments }) =>
      experimentDocuments.saveDocument(canary, 'summary', {
        markdown: canary,
        metadata: {},
        model: 'm',
      }),
    'analysisRuns.add': async (uow) => {
      uow.analysisRuns.add({
        experiment: uow.em.getReference(Experiment, canary),
        config: {},
        startedAt: new Date(),
      });
      await uow.flush();
    },
    'em.insert': ({ em }) =>
      em.insert(AnalysisRun, { id: 'ana_1', experiment: canary, config: {}, startedAt: new Date() }),
  };
  test.each(Object.entries(dangling))('foreign key by %s', async (_, work) => {
    expectDataError(await caught(work), DanglingReferenceError);
  });

  test('a number out of range, by em.insert and by em.nativeUpdate', async () => {
    const run = {
      id: 'ana_1',
      experiment: existing,
      config: {},
      startedAt: new Date(),
      totalSynths: 4_711e9,
    };

    expectDataError(await caught(({ em }) => em.insert(AnalysisRun, run)), InvalidValueError);
    expectDataError(
      await caught(async ({ em }) => {
        await em.insert(AnalysisRun, { ...run, totalSynths: 1 });
        await em.nativeUpdate(AnalysisRun, { id: run.id }, { totalSynths: run.totalSynths });
      }),
      InvalidValueError,
    );
  });
});
