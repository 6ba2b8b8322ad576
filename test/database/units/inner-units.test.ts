import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Experiment } from '../../../src/entities.ts';
import type { Tables } from '../../../src/entities/tables.ts';
import { ConcurrentUseError, UnfinishedWorkError, type UnitOfWork } from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { scorecard } from '../../operations/scorecard.ts';
import { storedExperiment } from './stored-experiment.ts';

const rounds = 20;
const failure = new Error('no');

let db: TestDatabase;
let id: string;
beforeAll(async () => {
  db = await TestDatabase.create();
});
afterAll(() => db.drop());
beforeEach(async () => {
  id = await db.transact(async ({ em }) => anExperiment(em).id);
});

const stored = (): ReturnType<typeof storedExperiment> => storedExperiment(db, id);

describe('while an inner unit runs', () => {
  test('refuses a call of other code on the outer unit, and reports it', async () => {
    for (let round = 0; round < rounds; round++) {
      const outcomes = await db.transact(async (u) => {
        await u.experiments.get(id);
        return Promise.allSettled([
          u.transact(() => setTimeout(20).then(() => Promise.reject(failure))),
          setTimeout(5).then(() => u.experiments.saveScorecard(id, scorecard)),
        ]);
      });

      expect(outcomes[0]).toMatchObject({ reason: failure });
      expect(outcomes[1]).toMatchObject({
        reason: { name: 'ConcurrentUseError', code: 'concurrent_use' },
      });
    }
  });

  test.for<[what: string, use: (u: UnitOfWork) => unknown]>([
    ['a repository', (u) => u.experiments.get(id)],
    ['a repository that stages', (u) => u.experiments.add({ name: 'a', hypothesis: 'b' })],
    ['a flush', (u) => u.flush()],
    ['em.execute', (u) => u.em.execute('select 1')],
    ['em.nativeUpdate', (u) => u.em.nativeUpdate(Experiment, { id }, { name: 'late' })],
    ['a fork', (u) => u.em.fork()],
    ['em.stream', (u) => u.em.stream(Experiment).next()],
    ['Kysely', (u) => u.em.getKysely<Tables>().selectFrom('experiments').selectAll().execute()],
    ['a second inner unit', (u) => u.transact(async () => 1)],
    ['em.transactional', (u) => u.em.transactional(async () => 1)],
  ])('refuses %s of the outer unit to other code', async ([, use]) => {
    const [, refused] = await db.transact((u) => {
      const started = Promise.withResolvers<void>();
      return Promise.allSettled([
        u.transact(async () => {
          started.resolve();
          await setTimeout(20);
        }),
        started.promise.then(() => use(u)),
      ]);
    });

    expect(refused).toMatchObject({ reason: expect.any(ConcurrentUseError) });
  });

  test('code inside it can use the outer unit, as a part of it', async () => {
    await db.transact(async (u) => {
      await u.transact(() => u.experiments.update(id, { name: 'Kept' }));
      const failing = u.transact(async () => {
        await u.experiments.update(id, { description: 'Rolled back' });
        await u.flush();
        throw failure;
      });
      await expect(failing).rejects.toBe(failure);
    });

    expect(await stored()).toMatchObject({ name: 'Kept', description: null });
  });

  test('its rollback keeps assignments of other code, and reverts its own', async () => {
    for (let round = 0; round < rounds; round++) {
      await db.transact(async (u) => {
        const experiment = await u.experiments.get(id);
        const inner = u.transact(async (within) => {
          experiment.hypothesis = 'Inner';
          await within.flush();
          await setTimeout(5);
          throw failure;
        });
        const outer = setTimeout(2).then(() => (experiment.description = `D${round}`));
        await Promise.allSettled([inner, outer]);
        expect(experiment.hypothesis).not.toBe('Inner');
      });

      const row = await stored();
      expect(row).toMatchObject({ description: `D${round}` });
      expect(row).not.toMatchObject({ hypothesis: 'Inner' });
    }
  });

  test('a unit of work of the database is independent, and keeps its changes', async () => {
    await db.transact(async (u) => {
      const failing = u.transact(async () => {
        await db.transact((other) => other.experiments.update(id, { name: 'Other' }));
        throw failure;
      });
      await expect(failing).rejects.toBe(failure);
    });

    expect(await stored()).toMatchObject({ name: 'Other' });
  });
});

describe('an inner unit', () => {
  test('waits for running calls of the outer unit', async () => {
    for (let round = 0; round < rounds; round++) {
      await db.transact((u) =>
        Promise.all([
          u.experiments.saveScorecard(id, scorecard),
          u.transact((inner) => inner.experiments.update(id, { name: `N${round}` })),
        ]),
      );

      expect(await stored()).toMatchObject({ name: `N${round}`, scorecard_data: scorecard });
    }
  });

  test('fails when one of its calls was not awaited, by any handle, and rolls back its changes', async () => {
    for (const use of [
      (inner: UnitOfWork) => inner.experiments.softDelete(id),
      (_: UnitOfWork, outer: UnitOfWork) => outer.experiments.softDelete(id),
    ]) {
      await db.transact(async (u) => {
        const work = u.transact(async (inner) => {
          await inner.experiments.saveScorecard(id, scorecard);
          void use(inner, u);
        });
        await expect(work).rejects.toBeInstanceOf(UnfinishedWorkError);
        await expect(work).rejects.toMatchObject({ calls: ['experiments.softDelete'] });
      });
    }

    expect(await stored()).toMatchObject({ status: 'active', scorecard_data: null });
  });

  test('rolls back its changes after a failed unit within it', async () => {
    await db.transact(async (u) => {
      const middle = u.transact(async (within) => {
        await within.experiments.saveScorecard(id, scorecard);
        const innermost = within.transact(() => Promise.reject(failure));
        await expect(innermost).rejects.toBe(failure);
        throw failure;
      });
      await expect(middle).rejects.toBe(failure);
    });

    expect(await stored()).toMatchObject({ scorecard_data: null });
  });

  test('refuses its own handles after its end', async () => {
    await db.transact(async (u) => {
      const [inner] = await u.transact(async (within) => [within] as const);
      await expect(inner.experiments.softDelete(id)).rejects.toMatchObject({ code: 'unit_ended' });
      await u.experiments.update(id, { name: 'Goes on' });
    });

    expect(await stored()).toMatchObject({ name: 'Goes on', status: 'active' });
  });
});
