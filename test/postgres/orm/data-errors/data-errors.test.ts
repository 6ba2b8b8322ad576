/* oxlint-disable typescript/no-unsafe-type-assertion, no-await-in-loop -- rows and calls that the types forbid, one after the other */
/* oxlint-disable vitest/expect-expect, vitest/no-standalone-expect -- `expectOurs` does, and is called by tests alone */
import { inspect } from 'node:util';
import { isNativeError } from 'node:util/types';
import { LockMode, TransactionPropagation } from '@mikro-orm/core';
import { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DataErrorEntityManager } from '../../../../src/postgres/orm/data-errors/data-error-entity-manager.ts';
import { Experiment, ExperimentDocument, AnalysisRun } from '../../../../src/entities.ts';
import {
  ConstraintError,
  ContentionError,
  DanglingReferenceError,
  DataError,
  DuplicateError,
  ForbiddenError,
  InvalidPageError,
  InvalidValueError,
  NotFoundError,
  StatementError,
  UnavailableError,
  type UnitOfWork,
} from '../../../../src/index.ts';
import { loadRows } from '../../../../src/loading/index.ts';
import { TestDatabase, anExperiment } from '../../../../src/testing/index.ts';
import { meeting } from '../../../concurrency/together.ts';
import { canary, failureOf, type Kind } from '../../../database/told.ts';

type Work = (uow: UnitOfWork) => Promise<unknown>;

/** All that an error shows to whoever logs or serializes it, but for its cause. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) throw new Error('not an error', { cause: error });
  const { cause } = error;
  Reflect.deleteProperty(error, 'cause');
  const properties = JSON.stringify(error, Object.getOwnPropertyNames(error));
  const text = [
    error.message,
    error.stack,
    properties,
    inspect(error, { depth: 9, showHidden: true }),
  ].join();
  Object.defineProperty(error, 'cause', { value: cause, configurable: true });
  return text;
}

function isRefusedUnsent(failure: unknown): boolean {
  return failure instanceof InvalidValueError && /^(\w+Repository\.|a value is no )/.test(failure.message);
}

function expectOurs(failure: unknown, kind: Kind): void {
  expect(failure).toBeInstanceOf(DataError);
  expect(failure).toBeInstanceOf(kind);
  // Of what is refused before it is sent, there is no other error.
  expect(isRefusedUnsent(failure) || (isNativeError(failure) && isNativeError(failure.cause))).toBe(true);
  expect(shown(failure)).not.toContain(canary);
}

const lock = (uow: UnitOfWork, id = '') =>
  uow.em.execute(`select '${canary}' from experiments where id = '${id}' for update`);

describe('an error that is caught inside a unit of work', () => {
  let db: TestDatabase;
  let existing: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
    existing = (await db.transact(async ({ em }) => anExperiment(em, { name: canary }))).id;
    await db.orm.em.execute(`
      create table booked (during int4range, note text, exclude using gist (during with &&));
      insert into booked values ('[1,3]', '${canary}');
      create table tenants (note text);
      alter table tenants enable row level security;
      grant insert on tenants to pg_monitor`);
  });
  afterAll(() => db.drop());

  /** What `work` fails with, seen inside. */
  async function caught(work: Work, options: Parameters<TestDatabase['transact']>[1] = {}): Promise<unknown> {
    let failure: unknown;
    await db
      .transact(async (uow) => {
        failure = await failureOf(work(uow));
        throw failure;
      }, options)
      .catch(() => {});
    return failure;
  }

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
  // Here the row is changed, or nothing is refused.
  const accepted: ReadonlySet<string> = new Set([
    'unique key by em.upsert',
    'unique key by em.upsertMany',
    'unique key by staged COPY',
  ]);
  // Ours already, before anything is sent.
  const loaded: ReadonlySet<string> = new Set(['COPY', 'staged COPY']);

  test.each(
    Object.entries(refusedRows).flatMap(([rule, [kind, row]]) =>
      Object.entries(writers)
        .filter(([writer]) => !accepted.has(`${rule} by ${writer}`))
        .map(([writer, write]) => ({ rule, writer, kind, row, write })),
    ),
  )('$rule by $writer', async ({ writer, kind, row, write }) => {
    const failure = await caught((uow) => write(uow, row()));

    if (!loaded.has(writer)) return expectOurs(failure, kind);
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
    expectOurs(await caught(work), DanglingReferenceError);
  });

  test('a number out of range, by em.insert and by em.nativeUpdate', async () => {
    const run = {
      id: 'ana_1',
      experiment: existing,
      config: {},
      startedAt: new Date(),
      totalSynths: 4_711e9,
    };

    expectOurs(await caught(({ em }) => em.insert(AnalysisRun, run)), InvalidValueError);
    expectOurs(
      await caught(async ({ em }) => {
        await em.insert(AnalysisRun, { ...run, totalSynths: 1 });
        await em.nativeUpdate(AnalysisRun, { id: run.id }, { totalSynths: run.totalSynths });
      }),
      InvalidValueError,
    );
  });

  const senders: Readonly<Record<string, (uow: UnitOfWork, statement: string) => Promise<unknown>>> = {
    'em.execute': ({ em }, statement) => em.execute(statement),
    "the ORM's driver": ({ em }, statement) =>
      em.getDriver().execute(statement, [], 'all', em.getTransactionContext()),
    Kysely: ({ em }, statement) => sql.raw(statement).execute(em.getKysely()),
    'a stream of Kysely': async ({ em }, statement) => {
      const executor = em.getKysely().getExecutor();
      const query = { ...CompiledQuery.raw(statement), query: { kind: 'SelectQueryNode' } } as never;
      for await (const _ of executor.stream(query, 10));
    },
    'an inner unit': (uow, statement) => uow.transact(({ em }) => em.execute(statement)),
  };
  const refusedStatements: Readonly<Record<string, readonly [Kind, string, before?: readonly string[]]>> = {
    exclusion: [ConstraintError, `insert into booked values ('[2,4]', '${canary}')`],
    'row-level security': [
      ForbiddenError,
      `insert into tenants values ('${canary}')`,
      ['set local role pg_monitor'],
    ],
    'a lacking privilege': [
      ForbiddenError,
      `delete from tenants where note = '${canary}'`,
      ['set local role pg_monitor'],
    ],
    'a malformed number': [InvalidValueError, `select '${canary}'::int`],
    'a malformed time': [InvalidValueError, `select '${canary}'::timestamptz`],
    'a trigger that raises': [ConstraintError, `do $$ begin raise exception '${canary}'; end $$`],
    'the statement timeout': [
      UnavailableError,
      `select '${canary}', pg_sleep(60)`,
      [`set local statement_timeout = 50`],
    ],
    'an unknown column': [StatementError, `select ${canary} from experiments`],
    'what follows a failure': [StatementError, `select '${canary}'`, ['savepoint s', 'select 1 / 0']],
  };
  // A cursor can't run it.
  const noCursor: ReadonlySet<string> = new Set(['a trigger that raises']);

  test.each(
    Object.entries(refusedStatements).flatMap(([refusal, [kind, statement, before = []]]) =>
      Object.entries(senders)
        .filter(([sender]) => !sender.startsWith('a stream') || !noCursor.has(refusal))
        .map(([sender, send]) => ({ refusal, sender, kind, statement, before, send })),
    ),
  )('$refusal by $sender', async ({ kind, statement, before, send }) => {
    const failure = await caught(async (uow) => {
      for (const first of before) await uow.em.execute(first).catch(() => {});
      await send(uow, statement);
    });

    expectOurs(failure, kind);
  });

  test.each(Object.entries(senders))('a lock timeout and a lost race, by %s', async (_, send) => {
    const change = `update experiments set description = '${canary}' where id = '${existing}' returning id`;
    const late = await db.transact(async ({ em }) => {
      await em.execute(change);
      return caught((uow) => send(uow, change), { timeouts: { lock: 50 } });
    });
    const overtaken = await caught(
      async (uow) => {
        await uow.em.execute('select 1 from experiments');
        await db.transact(({ em }) => em.execute(change));
        await send(uow, change);
      },
      { isolation: 'repeatable read' },
    );

    expectOurs(late, ContentionError);
    expectOurs(overtaken, ContentionError);
  });

  test('a deadlock', async () => {
    const ids = await db.transact(async ({ em }) => [anExperiment(em).id, anExperiment(em).id]);
    const both = meeting(2);
    const failures = await Promise.all(
      [ids, ids.toReversed()].map(async ([first, second]) => {
        let failure: unknown;
        await db
          .transact(async (uow) => {
            await lock(uow, first);
            await both();
            failure = await lock(uow, second).catch((error: unknown) => Promise.reject((failure = error)));
          })
          .catch(() => {});
        return failure;
      }),
    );

    expectOurs(
      failures.find((failure) => failure instanceof Error),
      ContentionError,
    );
  });

  const refusedByOrm: Readonly<Record<string, readonly [Kind, Work]>> = {
    'em.findOneOrFail by a criterion': [
      NotFoundError,
      ({ em }) => em.findOneOrFail(Experiment, { hypothesis: `${canary}?` }),
    ],
    'em.findOneOrFail of exactly one': [
      NotFoundError,
      ({ em }) => em.findOneOrFail(Experiment, { hypothesis: `${canary}?` }, { strict: true }),
    ],
    'em.refreshOrFail': [
      NotFoundError,
      async ({ em }) => {
        const experiment = anExperiment(em, { name: canary });
        await em.flush();
        await em.execute('delete from experiments where id = ?', [experiment.id]);
        await em.refreshOrFail(experiment);
      },
    ],
    'a reference that points at nothing': [
      NotFoundError,
      async ({ em }) => {
        const run = em.create(AnalysisRun, { experiment: 'exp_0', config: {}, startedAt: new Date() });
        await run.experiment.loadOrFail();
      },
    ],
    'em.flush without a value': [
      InvalidValueError,
      async ({ em }) => {
        em.create(Experiment, { name: canary } as never);
        await em.flush();
      },
    ],
    'em.find by an unknown property': [
      StatementError,
      ({ em }) => em.find(Experiment, { nope: canary } as never),
    ],
    'em.find of an unknown relation': [
      InvalidValueError,
      ({ em }) => em.find(Experiment, {}, { populate: [canary as never] }),
    ],
    'em.findByCursor with a broken cursor': [
      InvalidPageError,
      ({ em }) => em.findByCursor(Experiment, { first: 1, after: canary, orderBy: { id: 'asc' } }),
    ],
    'em.lock of another version': [
      ContentionError,
      async ({ em }) => em.lock(await em.findOneOrFail(Experiment, existing), LockMode.OPTIMISTIC, 99),
    ],
    'em.transactional that needs no transaction': [
      StatementError,
      ({ em }) => em.transactional(async () => {}, { propagation: TransactionPropagation.NEVER }),
    ],
    'em.setSessionContext': [
      StatementError,
      async ({ em }) => em.setSessionContext({ variables: { 'app.user': canary } }),
    ],
  };
  test.each(Object.entries(refusedByOrm))("the ORM's own, of %s", async (_, [kind, work]) => {
    const failure = await caught(work);

    expect(failure).toBeInstanceOf(kind);
    expect(failure).toMatchObject({ cause: expect.any(Error) });
    expect(shown(failure)).not.toContain(canary);
  });

  test('em.findOneOrFail by a key names the key', async () => {
    const failure = await caught(({ em }) => em.findOneOrFail(ExperimentDocument, 'doc_0'));

    expect(failure).toMatchObject({ code: 'not_found', entity: 'ExperimentDocument', key: 'doc_0' });
  });

  test('em.setSessionContext says what to use instead', async () => {
    const failure = await caught(async ({ em }) =>
      em.setSessionContext({ variables: { 'app.user': 'ann' } }),
    );

    expect(failure).toMatchObject({ message: expect.stringContaining('transact(work, { settings:') });
  });

  test('what the work throws within em.transactional comes through as it is', async () => {
    const thrown = new Error(canary);

    expect(await caught(({ em }) => em.transactional(() => Promise.reject(thrown)))).toBe(thrown);
  });

  test('a read without a transaction throws the same', async () => {
    let failure: unknown;
    await db
      .read(async ({ synths }) => {
        failure = await failureOf(synths.count({ group: `${canary}\0` }));
      })
      .catch(() => {});

    expectOurs(failure, InvalidValueError);
  });

  test('no method of the entity manager is forgotten', () => {
    const internal = new Set(
      `constructor getDriver getConnection getPlatform getPopulateWhere getFilterParams validateSessionContextStaging
      mergeSessionContext getSessionContext getTransactionSessionContext withSessionContext setLoggerContext getLoggerContext setFlushMode
      processWhere processUnionWhere applyDiscriminatorCondition createPopulateWhere getJoinedFilters autoJoinRefsForFilters applyFilters
      clear getUnitOfWork getEntityFactory getEntityLoader getHydrator getContext getEventManager isInTransaction getTransactionContext
      getAbortOptions setTransactionContext resetTransactionContext getMetadata getComparator checkLockRequirements validateIndexUsage
      validateWhereKeysForIndex lockAndPopulate buildFields preparePopulate forceSelectInForLimitedPopulate shouldRefresh prepareOptions
      begin commit rollback cacheKey tryCache storeCache schema getDataLoader id getKysely`.split(/\s+/),
    );
    const methods: string[] = [];
    for (let proto: object | null = EntityManager.prototype; proto && proto !== Object.prototype;) {
      methods.push(...Object.getOwnPropertyNames(proto));
      proto = Object.getPrototypeOf(proto) as object | null;
    }

    const forgotten = methods.filter(
      (name) => !internal.has(name) && !Object.hasOwn(DataErrorEntityManager.prototype, name),
    );

    expect(forgotten).toEqual([]);
  });
});
