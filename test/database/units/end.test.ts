import { setTimeout } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Experiment } from '../../../src/entities.ts';
import type { Tables } from '../../../src/entities/tables.ts';
import { UnfinishedWorkError, UnitOfWorkEndedError, type UnitOfWork } from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { scorecard } from '../../operations/scorecard.ts';
import { collect } from './collect.ts';
import { storedExperiment } from './stored-experiment.ts';

const rounds = 20;

let db: TestDatabase;
let id: string;
const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => void unhandled.push(error);
beforeAll(async () => {
  process.on('unhandledRejection', onUnhandled);
  db = await TestDatabase.create();
});
afterAll(async () => {
  await db.drop();
  process.off('unhandledRejection', onUnhandled);
});
beforeEach(async () => {
  unhandled.length = 0;
  id = await db.transact(async ({ em }) => anExperiment(em).id);
});

async function waitForLocks(): Promise<number> {
  const [row] = await db.orm.em
    .fork()
    .execute<{ n: number }[]>(
      `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    );
  return row?.n ?? -1;
}

const stored = (): ReturnType<typeof storedExperiment> => storedExperiment(db, id);

describe('when work throws', () => {
  test('statements after a running one are refused, and nothing is stored', async () => {
    const failure = new Error('no');
    for (let round = 0; round < rounds; round++) {
      let late: Promise<unknown> | undefined;
      const work = db.transact((u) =>
        Promise.all([
          (late = u.em
            .execute('select pg_sleep(0.25)')
            .then(() => u.experiments.saveScorecard(id, scorecard))
            .catch((error: unknown) => error)),
          setTimeout(10).then(() => Promise.reject(failure)),
        ]),
      );

      await expect(work).rejects.toBe(failure);
      expect(await late).toBeInstanceOf(UnitOfWorkEndedError);
      expect(await stored()).toMatchObject({ scorecard_data: null });
    }
  });

  test('a long statement is cancelled, and its connection replaced', async () => {
    const began = performance.now();
    const work = db.transact((u) =>
      Promise.all([
        u.em.execute('select pg_sleep(60)'),
        setTimeout(10).then(() => Promise.reject(new Error('no'))),
      ]),
    );

    await expect(work).rejects.toThrow('no');
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(await db.transact((u) => u.em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
  });
});

describe('when work returns before its calls have ended, nothing is stored, and the error names them:', () => {
  test.for<[name: string, start: (u: UnitOfWork) => unknown]>([
    ['experiments.softDelete', (u) => u.experiments.softDelete(id)],
    ['experiments.saveScorecard', (u) => u.experiments.saveScorecard(id, scorecard)],
    ['em.execute', (u) => u.em.execute(`update experiments set name = 'late'`)],
    ['em.nativeUpdate', (u) => u.em.nativeUpdate(Experiment, { id }, { name: 'late' })],
    ['ExperimentRepository.softDelete', (u) => u.em.getRepository(Experiment).softDelete(id)],
    [
      'em.flush',
      (u) => {
        anExperiment(u.em, { name: 'late' });
        return u.flush();
      },
    ],
    ['transact', (u) => u.transact((inner) => inner.experiments.softDelete(id))],
    ['transact', (u) => u.em.transactional(async (em) => em.execute('select 1'))],
    [
      'a statement of `getKysely()`',
      (u) => {
        const statement = u.em.getKysely<Tables>().updateTable('experiments').set({ name: 'late' });
        // Only the caller has the promise of a statement of Kysely.
        for (let i = 0; i < 3; i++) statement.execute().catch(() => {});
      },
    ],
  ])('%s', async ([name, start]) => {
    for (let round = 0; round < rounds; round++) {
      const work = db.transact(async (u) => {
        await u.em.execute('select 1');
        void start(u);
      });

      await expect(work).rejects.toBeInstanceOf(UnfinishedWorkError);
      await expect(work).rejects.toMatchObject({ code: 'unfinished_work', calls: [name] });
    }
    await setTimeout(20);
    expect(await stored()).toMatchObject({
      name: 'Checkout in one step',
      status: 'active',
      scorecard_data: null,
    });
    expect(unhandled).toEqual([]);
  });

  test('an assignment to Experiment during the flush', async () => {
    const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const other = db.transact(async ({ em }) => {
      await em.execute('select from experiments where id = ? for update', [id]);
      locked.resolve();
      await release.promise;
    });
    await locked.promise;
    let experiment: Experiment | undefined;
    const work = db.transact(async (u) => {
      experiment = await u.experiments.get(id);
      experiment.name = 'Changed';
    });
    work.catch(() => {});
    await expect.poll(waitForLocks, { timeout: 30_000 }).toBe(1);

    if (experiment) experiment.description = 'by code that nobody awaited';
    release.resolve();
    await other;

    await expect(work).rejects.toMatchObject({ calls: ['an assignment to Experiment'] });
    expect(await stored()).toMatchObject({ name: 'Checkout in one step', description: null });
  });
});

describe('after its end, a unit of work refuses', () => {
  interface Handles {
    readonly u: UnitOfWork;
    readonly inner: UnitOfWork;
    readonly repository: UnitOfWork['experiments'];
    readonly fork: UnitOfWork['em'];
    readonly kysely: Kysely<Tables>;
  }
  const late = `update experiments set name = 'late'`;
  const uses: [name: string, use: (handles: Handles) => unknown][] = [
    ['a repository', ({ u }) => u.experiments.softDelete(id)],
    ['a repository taken before', ({ repository }) => repository.softDelete(id)],
    ['a repository that reads', ({ u }) => u.experiments.get(id)],
    ['a repository that stages', ({ u }) => u.experiments.add({ name: 'late', hypothesis: 'late' })],
    ['a repository of the ORM', ({ u }) => u.em.getRepository(Experiment).softDelete(id)],
    ['a repository of an inner unit', ({ inner }) => inner.experiments.softDelete(id)],
    ['a flush', ({ u }) => u.flush()],
    ['an inner unit', ({ u }) => u.transact(async () => 1)],
    ['an inner unit of an inner one', ({ inner }) => inner.transact(async () => 1)],
    ['em.execute', ({ u }) => u.em.execute(late)],
    ['em.execute of an inner unit', ({ inner }) => inner.em.execute(late)],
    ['em.find', ({ u }) => u.em.find(Experiment, {})],
    ['em.count', ({ u }) => u.em.count(Experiment)],
    ['em.nativeUpdate', ({ u }) => u.em.nativeUpdate(Experiment, { id }, { name: 'late' })],
    ['em.create', ({ u }) => anExperiment(u.em)],
    ['em.stream', ({ u }) => collect(u.em.stream(Experiment))],
    ['em.transactional', ({ u }) => u.em.transactional(async () => 1)],
    ['em.begin', ({ u }) => u.em.begin()],
    ['em.commit', ({ u }) => u.em.commit()],
    ['em.rollback', ({ u }) => u.em.rollback()],
    ['em.getConnection', ({ u }) => u.em.getConnection()],
    [
      'em.createQueryBuilder',
      ({ u }) => u.em.createQueryBuilder(Experiment).update({ name: 'late' }).execute(),
    ],
    ['a fork', ({ fork }) => fork.execute(late)],
    ['a fork that writes', ({ fork }) => fork.nativeUpdate(Experiment, { id }, { name: 'late' })],
    ['a fork made now', ({ u }) => u.em.fork().execute(late)],
    ['Kysely', ({ u }) => updateBy(u.em.getKysely<Tables>())],
    ['Kysely taken before', ({ kysely }) => updateBy(kysely)],
    [
      'a stream of Kysely',
      ({ u }) => collect(u.em.getKysely<Tables>().selectFrom('experiments').selectAll().stream()),
    ],
  ];
  const updateBy = (kysely: Handles['kysely']): Promise<unknown> =>
    kysely.updateTable('experiments').set({ name: 'late' }).execute();

  let handles: Handles;
  beforeAll(async () => {
    const [made] = await db.transact(async (u) => {
      const inner = await u.transact(async (within) => [within] as const);
      const kysely = u.em.getKysely<Tables>();
      return [{ u, inner: inner[0], repository: u.experiments, fork: u.em.fork(), kysely }] as const;
    });
    handles = made;
  });

  test.for(uses)('%s', async ([, use]) => {
    const outcome = await Promise.resolve()
      .then(() => use(handles))
      .catch((error: unknown) => error);

    expect(outcome).toBeInstanceOf(UnitOfWorkEndedError);
    expect(outcome).toMatchObject({ code: 'unit_ended' });
    expect(await stored()).toMatchObject({ name: 'Checkout in one step', status: 'active' });
  });
});

test('a reading unit of work refuses calls after its end', async () => {
  const repository = await db.read(async (u) => [u.experiments] as const);

  await expect(repository[0].find(id)).rejects.toBeInstanceOf(UnitOfWorkEndedError);
});
