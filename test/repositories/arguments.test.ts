import { JsonType } from '@mikro-orm/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryDocs } from '../../docs/generate-repositories.ts';
import { connect } from '../../src/postgres/orm/connect.ts';
import { Database } from '../../src/database/database.ts';
import { ourEntities } from '../../src/postgres/orm/entities/our-entities.ts';
import type { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { Experiment, InterviewGuide } from '../../src/entities.ts';
import { InvalidJsonError, InvalidPageError, InvalidValueError } from '../../src/errors.ts';
import { Repository } from '../../src/repositories/repository.ts';
import { checkArguments, reads, synchronous } from '../../src/repositories/signatures/index.ts';
import { anExperiment, TestDatabase } from '../../src/testing/index.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';
import { readRows } from '../schema/contents.ts';
import { called as methods } from './methods.ts';
import { placesOf, untyped, validArguments, withValue, type Place } from './sample.ts';

// What a body of JSON, or a caller without types, may hold in place of an argument.
const operators = [{ $ne: null }, { $gt: '' }, { $in: ['exp_1'] }, { id: { $ne: null } }];
const objects = [
  ...operators,
  new Map(),
  new Set(['exp_1']),
  new Date(Number.NaN),
  /exp/,
  { toString: () => 'exp_1' },
];
const boxed = [Object('exp_1'), Object(1), new Proxy(Object('exp_1'), {}), Object(1n)];
const arrays = [[], ['exp_1'], [['exp_1']], [{ $ne: null }], [null]];
const scalars = [
  Number.NaN,
  Infinity,
  -Infinity,
  true,
  false,
  1n,
  Symbol('exp_1'),
  () => 'exp_1',
  Experiment,
];
const texts = ['exp_1', ''];
const numbers = [0, 1, -1];

/** The values that a place of this kind must refuse. */
function refused({ kind, nullable, optional }: Place): readonly unknown[] {
  const never = [...boxed, ...scalars, ...(nullable ? [] : [null]), ...(optional ? [] : [undefined])];
  if (kind === 'text') return [...never, ...objects, new Date(), ...arrays, ...numbers];
  if (kind === 'word') return [...never, ...objects, new Date(), ...arrays, ...numbers, ...texts, 'toString'];
  if (kind === 'number') return [...never, ...objects, new Date(), ...arrays, ...texts, '1'];
  if (kind === 'date') return [...never, ...objects, ...arrays, ...numbers, ...texts, now.toISOString()];
  if (kind === 'list') return [...never, ...objects, new Date(), ...numbers, ...texts, [undefined], Array(1)];
  if (kind === 'object') return [...never, ...objects, new Date(), ...arrays, ...numbers, ...texts];
  return [...scalars, ...numbers, ...texts, ...(nullable ? [] : [null]), ...(optional ? [] : [undefined])];
}

const now = new Date();
const docs = repositoryDocs();
describe('the arguments of a repository', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    proxy = await WireProxy.start(db.target);
    database = new Database(await connect(proxy.target, { pool: { max: 1 } }));
  });
  afterAll(async () => {
    await database.close();
    await proxy.close();
    await db.drop();
  });

  /** What a call ended with, and how many statements it sent. */
  const call = async (uow: UnitOfWork, { repository, method }: (typeof methods)[number], given: unknown) => {
    const before = proxy.statements.length;
    const target: unknown = Reflect.get(uow, repository);
    const [outcome] = await Promise.allSettled([
      (async (): Promise<unknown> =>
        Reflect.apply(Reflect.get(Object(target), method), target, Object(given)))(),
    ]);
    return { outcome, sent: proxy.statements.length - before };
  };

  test.each(methods)('$name refuses what they may not be, and sends nothing', async (method) => {
    const valid = validArguments(method.signature);
    const places = placesOf(method.signature).filter(
      ({ path, kind }) =>
        path.length > 0 && !(kind === 'document' && (method.effect === 'stages' || path.length > 2)),
    );
    const wrong: unknown[] = [];

    await database.transact(async (uow) => {
      for (const place of places) {
        for (const value of refused(place)) {
          const { outcome, sent } = await call(uow, method, withValue(valid, place.path, value));
          const error: unknown = outcome.status === 'rejected' ? outcome.reason : 'none';
          const named =
            error instanceof InvalidValueError && error.argument?.includes(String(place.path.at(-1)));
          const known = named || (place.path.length === 1 && error instanceof InvalidValueError);
          const paging = error instanceof InvalidPageError || error instanceof InvalidJsonError;
          if (sent > 0 || !(known || paging)) wrong.push({ place, value, error, sent });
        }
      }
    });

    expect(wrong).toEqual([]);
  });

  test.each(methods)('$name names the argument as its declaration does', async (method) => {
    const declared = [method.class.name, 'Repository']
      .flatMap((name) => docs.find((doc) => doc.name === name)?.methods ?? [])
      .find(({ name }) => name === method.method)?.parameters;
    const valid = validArguments(method.signature);

    const named = await database.transact((uow) =>
      Promise.all(
        placesOf(method.signature)
          .filter(({ path, kind }) => path.length === 1 && kind !== 'document')
          .map(async ({ path }) => {
            const { outcome } = await call(uow, method, withValue(valid, path, Symbol('none')));
            const { argument } = outcome.status === 'rejected' ? outcome.reason : {};
            // A parameter that is taken apart has no name to compare.
            const parameter = declared?.[Number(path[0])];
            return argument === undefined || parameter === null ? [] : [[argument, parameter]];
          }),
      ),
    );

    for (const [argument, parameter] of named.flat()) expect(argument).toBe(parameter);
  });

  test('an operator in place of a key changes no row, gives none and locks none', async () => {
    await db.transact(async ({ em }) => void anExperiment(em));
    const before = await readRows(db.orm.em.fork());
    const body: { id: never } = JSON.parse('{ "id": { "$ne": null } }');
    proxy.reset();

    const calls: readonly ((uow: UnitOfWork) => Promise<unknown>)[] = [
      ({ experiments }) => experiments.softDelete(body.id),
      ({ experiments }) => experiments.saveScorecard(body.id, null),
      ({ analysisRuns }) => analysisRuns.saveStatus(body.id, 'failed'),
      ({ explorations }) => explorations.finish(body.id, 'goal_achieved'),
      ({ explorations }) => explorations.lock(body.id),
      ({ experiments }) => experiments.get(body.id),
    ];
    for (const work of calls) {
      await expect(database.transact(work)).rejects.toBeInstanceOf(InvalidValueError);
    }
    expect(proxy.statements.filter((sent) => !/^(?:begin|rollback)/.test(sent))).toEqual([]);
    expect(await readRows(db.orm.em.fork())).toEqual(before);
  });

  test.each(ourEntities.map((entity) => [entity.name, entity] as const))(
    'add refuses for %s what a column may not be, and an operator for a parent',
    async (_, entity) => {
      const { props } = db.orm.getMetadata().get(entity);
      await database.transact(async (uow) => {
        const repository: unknown = uow.em.getRepository(untyped(entity));
        if (!(repository instanceof Repository)) return;
        for (const { name, customType, runtimeType } of props) {
          if (customType instanceof JsonType) continue;
          const others = scalars.filter((value) => typeof value !== 'boolean' || runtimeType !== 'boolean');
          for (const value of [...operators, ...boxed, ...arrays, ...others]) {
            const adding = (): unknown => repository.add(untyped({ [name]: value }));
            expect(adding).toThrow(InvalidValueError);
            expect(adding).toThrow(`data.${String(name)} must be`);
          }
        }
        for (const value of [...operators, ...boxed, ...arrays, ...scalars, 'exp_1', null, undefined]) {
          expect(() => repository.add(untyped(value))).toThrow(InvalidValueError);
          expect(() => repository.remove(untyped(value))).toThrow(InvalidValueError);
        }
      });
    },
  );

  test('a parent is a key, an entity or a reference to one, each with a text for a key', () =>
    db.rollback(async ({ em, analysisRuns, interviewGuides }) => {
      const experiment = anExperiment(em);
      const guide = interviewGuides.add({ experiment });
      const forged = untyped(Object.assign(Object.create(Experiment.prototype), { id: { $ne: null } }));

      expect(analysisRuns.add({ experiment: guide.experiment, config: {}, startedAt: now }).experiment).toBe(
        guide.experiment,
      );
      expect(() => interviewGuides.add({ experiment: forged })).toThrow(
        'data.experiment.id must be a string',
      );
      expect(() =>
        interviewGuides.remove(
          Object.assign(Object.create(InterviewGuide.prototype), { experiment: forged }),
        ),
      ).toThrow('entity.experiment.id must be a string');
    }));

  test.each<[string, (uow: UnitOfWork) => Promise<unknown>, string]>([
    ['a fraction of a count', (uow: UnitOfWork) => uow.explorations.recordLlmCalls('expl_1', 0.5), 'calls'],
    [
      'a count that no column holds',
      (uow: UnitOfWork) => uow.explorations.recordLlmCalls('expl_1', 2 ** 31),
      'calls',
    ],
    [
      'a status that is none',
      (uow: UnitOfWork) => uow.analysisRuns.saveStatus('ana_1', untyped('toString')),
      'status',
    ],
    [
      'a key in a document',
      (uow: UnitOfWork) => uow.analysisCache.saveChartInsight(untyped({ analysis_id: operators[0] })),
      'insight.analysis_id',
    ],
    [
      'a hole in a list of keys',
      (uow: UnitOfWork) => uow.transcripts.countTurnsBatch(Array(1)),
      'executions[0]',
    ],
    ['half a composite key', (uow: UnitOfWork) => uow.analysisCache.find(untyped(['ana_1'])), 'key'],
    [
      'a time that is none',
      (uow: UnitOfWork) => uow.explorations.finish('expl_1', 'goal_achieved', new Date('')),
      'completedAt',
    ],
    [
      'an operator in place of options',
      (uow: UnitOfWork) => uow.synths.count(untyped(operators[0])),
      'criteria',
    ],
  ])('%s is refused', async (_, work, argument) => {
    const refusal = await database.transact(work).catch((error: unknown) => error);

    expect(refusal).toBeInstanceOf(InvalidValueError);
    expect(refusal).toMatchObject({ code: 'invalid_value', argument });
  });

  test('the message names method and argument, and shows no text', async () => {
    const secret = untyped(['a secret']);

    const refusal = await database.transact((uow) => uow.experiments.softDelete(secret)).catch(String);

    expect(refusal).toBe(
      'InvalidValueError: ExperimentRepository.softDelete: key must be a string, not an array',
    );
  });

  test('options may have other fields, or none', async () => {
    const options = { limit: 1, theme: 'dark' };

    expect((await db.read(({ experiments }) => experiments.pageSummaries(options))).pagination.limit).toBe(1);
    expect((await db.read(({ experiments }) => experiments.pageSummaries({}))).pagination.limit).toBe(50);
  });
});

describe('a repository whose methods are not all declared', () => {
  class Sums {
    sum(): number {
      return 0;
    }
  }

  test.each([
    ['lacks a method', {}, 'Sums.sum has no signature'],
    [
      'has another',
      { sum: synchronous(reads()), difference: reads() },
      'Sums.signatures has difference, which is not a method',
    ],
  ])('is refused when its declaration %s', (_, signatures, says) => {
    const repository = { name: Sums.name, prototype: Sums.prototype, signatures };

    expect(() => {
      checkArguments(repository, 'sums');
    }).toThrow(says);
  });
});
