import { LockMode, wrap } from '@mikro-orm/core';
import { setTimeout } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AnalysisRun, Experiment, Exploration } from '../../../src/entities.ts';
import { ContentionError, type UnitOfWork } from '../../../src/index.ts';
import { TestDatabase, anAnalysisRun, anExperiment, anExploration } from '../../../src/testing/index.ts';
import { scorecard } from '../../operations/scorecard.ts';
import { storedExperiment } from './stored-experiment.ts';

const rounds = 50;

let db: TestDatabase;
let id: string;
beforeAll(async () => {
  db = await TestDatabase.create();
});
afterAll(() => db.drop());
beforeEach(async () => {
  id = await db.transact(async ({ em }) => anExperiment(em).id);
});

test('two concurrent revisions of one row are both stored', async () => {
  for (let round = 0; round < rounds; round++) {
    await db.transact((u) =>
      Promise.all([
        u.experiments.update(id, { name: `N${round}` }),
        u.experiments.update(id, { description: `D${round}` }),
      ]),
    );

    expect(await storedExperiment(db, id)).toMatchObject({ name: `N${round}`, description: `D${round}` });
  }
});

describe('a row that is read again keeps an unflushed change, and its other values are updated', () => {
  // Each without the flush before the reads of a repository.
  test.for<[how: string, read: (u: UnitOfWork, experiment: Experiment) => Promise<unknown>]>([
    ['by key', (u) => u.em.findOne(Experiment, id, { refresh: true })],
    ['by query', (u) => u.em.find(Experiment, { status: 'active', id })],
    ['by query, with refresh', (u) => u.em.find(Experiment, { id }, { refresh: true })],
    ['in part', (u) => u.em.find(Experiment, { id }, { fields: ['hypothesis'], refresh: true })],
    [
      'by a lock',
      (u) => u.em.findOne(Experiment, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true }),
    ],
    ['by em.refresh', (u, experiment) => u.em.refresh(experiment)],
    ['by em.refreshOrFail', (u, experiment) => u.em.refreshOrFail(experiment)],
    [
      'by em.map',
      async (u) =>
        u.em.map(Experiment, (await u.em.execute('select * from experiments where id = ?', [id]))[0] ?? {}),
    ],
    [
      'by a relation',
      (u) =>
        u.em.find(
          AnalysisRun,
          { experiment: id },
          { populate: ['experiment'], strategy: 'joined', refresh: true },
        ),
    ],
    [
      'by a relation that is selected',
      (u) =>
        u.em.find(
          AnalysisRun,
          { experiment: id },
          { populate: ['experiment'], strategy: 'select-in', refresh: true },
        ),
    ],
  ])('%s', async ([, read]) => {
    await db.transact(async ({ em }) => anAnalysisRun(em, { experiment: id }));

    const work = async (u: UnitOfWork): Promise<void> => {
      const experiment = await u.experiments.get(id);
      experiment.name = 'Changed';
      await u.em.getKysely().executeQuery(touch(id));
      await read(u, experiment);

      expect(experiment).toMatchObject({ name: 'Changed', hypothesis: 'As stored' });
    };
    // With disabled triggers, the statement increments no version.
    await db.transact(work, { settings: { session_replication_role: 'replica' } });

    expect(await storedExperiment(db, id)).toMatchObject({ name: 'Changed', hypothesis: 'As stored' });
  });

  test('and the flush is refused when plain SQL incremented its version', async () => {
    const work = db.transact(async (u) => {
      const experiment = await u.experiments.get(id);
      experiment.name = 'Changed';
      await u.em.getKysely().executeQuery(touch(id));
      await u.em.find(Experiment, { id });
      expect(experiment).toMatchObject({ name: 'Changed', hypothesis: 'As stored' });
    });

    await expect(work).rejects.toBeInstanceOf(ContentionError);
    expect(await storedExperiment(db, id)).not.toMatchObject({ name: 'Changed' });
  });

  test('after a set-based statement', async () => {
    for (let round = 0; round < rounds; round++) {
      await db.transact(async (u) => {
        const experiment = await u.experiments.get(id);
        await Promise.all([
          u.experiments.saveScorecard(id, scorecard),
          setTimeout(0).then(() => (experiment.name = `N${round}`)),
          u.experiments.saveScorecard(id, null),
          setTimeout(1).then(() => (experiment.description = `D${round}`)),
        ]);
        expect(experiment).toMatchObject({
          name: `N${round}`,
          description: `D${round}`,
          scorecardData: null,
        });
      });

      expect(await storedExperiment(db, id)).toMatchObject({ name: `N${round}`, description: `D${round}` });
    }
  });

  test('in an embedded object', async () => {
    const key = await db.transact(async ({ em }) => anExploration(em).id);

    await db.transact(async (u) => {
      const exploration = await u.explorations.get(key);
      exploration.goal.value = 0.25;
      await u.em.find(Exploration, { id: key }, { refresh: true });
      expect(exploration.goal.value).toBe(0.25);
    });

    expect(await db.read((u) => u.explorations.get(key))).toMatchObject({ goal: { value: 0.25 } });
  });
});

describe('the version of a row that another unit of work has changed', () => {
  test.for([true, false])('fails the flush of earlier changes, with refresh: %s', async (refresh) => {
    const key = await db.transact(async ({ em }) => anExploration(em).id);

    const work = db.transact(async (u) => {
      const exploration = await u.explorations.get(key);
      exploration.currentDepth = 3;
      await db.transact((other) => other.explorations.recordLlmCalls(key, 5));
      await u.em.find(Exploration, { id: key }, { refresh });
      expect(exploration).toMatchObject({ currentDepth: 3, totalLlmCalls: 5 });
    });

    await expect(work).rejects.toBeInstanceOf(ContentionError);
  });

  test('is updated in a row without changes', async () => {
    const key = await db.transact(async ({ em }) => anExploration(em).id);

    await db.transact(async (u) => {
      const exploration = await u.explorations.get(key);
      await db.transact((other) => other.explorations.recordLlmCalls(key, 5));
      await u.em.find(Exploration, { id: key }, { refresh: true });
      exploration.currentDepth = 3;
    });

    expect(await db.read((u) => u.explorations.get(key))).toMatchObject({
      currentDepth: 3,
      totalLlmCalls: 5,
    });
  });

  test('is not a conflict when own statements incremented it', async () => {
    const key = await db.transact(async ({ em }) => anExploration(em).id);

    for (let round = 1; round <= rounds; round++) {
      await db.transact(async (u) => {
        const exploration = await u.explorations.get(key);
        await Promise.all([
          u.explorations.recordLlmCalls(key, 1),
          setTimeout(0).then(() => (exploration.currentDepth = round)),
          u.explorations.recordLlmCalls(key, 1),
        ]);
      });
    }

    expect(await db.read((u) => u.explorations.get(key))).toMatchObject({
      currentDepth: rounds,
      totalLlmCalls: 2 * rounds,
    });
  });

  test('does not count own statements that changed nothing', async () => {
    const key = await db.transact(async ({ em }) => anExploration(em, { status: 'goal_achieved' }).id);

    const work = db.transact(async (u) => {
      const exploration = await u.explorations.get(key);
      expect(await u.explorations.finish(key, 'cost_limit_reached')).toBe(false);
      exploration.currentDepth = 3;
      await db.transact((other) => other.explorations.recordLlmCalls(key, 5));
      await u.em.find(Exploration, { id: key }, { refresh: true });
    });

    await expect(work).rejects.toBeInstanceOf(ContentionError);
  });
});

describe('a change while a flush waits for the server', () => {
  test('is kept for the next flush: changes, additions and removals', async () => {
    for (let round = 0; round < rounds; round++) {
      const other = await db.transact(async ({ em }) => anExperiment(em).id);

      const added = await db.transact(async (u) => {
        const [experiment, removed] = [await u.experiments.get(id), await u.experiments.get(other)];
        experiment.name = `N${round}`;
        const flushed = u.flush();
        await setTimeout(0);
        experiment.description = `D${round}`;
        u.experiments.remove(removed);
        const { id: late } = anExperiment(u.em);
        await flushed;
        return late;
      });

      expect(await storedExperiment(db, id)).toMatchObject({ name: `N${round}`, description: `D${round}` });
      expect(await storedExperiment(db, added)).toBeDefined();
      expect(await storedExperiment(db, other)).toBeUndefined();
    }
  });

  test.for(Array.from({ length: 30 }, (_, turn) => turn))(
    'is kept for the next flush when nothing is sent, %i turns after its beginning',
    async (turns) => {
      const { added, removed } = await db.transact(async (u) => {
        const experiment = await u.experiments.get(id);
        const flushed = u.flush();
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        u.experiments.remove(experiment);
        const { id: late } = anExperiment(u.em);
        await flushed;
        return { added: late, removed: id };
      });

      expect(await storedExperiment(db, added)).toBeDefined();
      expect(await storedExperiment(db, removed)).toBeUndefined();
    },
  );

  test('can be flushed, also when the first flush fails', async () => {
    await db.transact(async (u) => {
      const failing = u.transact(async (inner) => {
        anExperiment(inner.em, { name: ' ' });
        await Promise.all([inner.flush(), inner.flush()]);
      });
      await expect(failing).rejects.toMatchObject({ code: 'invalid_value' });
      expect(wrap(await u.experiments.get(id)).isInitialized()).toBe(true);
    });
  });
});

function touch(key: string): CompiledQuery {
  return CompiledQuery.raw(`update experiments set hypothesis = 'As stored' where id = $1`, [key]);
}
