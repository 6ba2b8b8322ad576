import { ref } from '@mikro-orm/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Experiment } from '../../src/entities.ts';
import { Database, ContentionError, DuplicateError, type UnitOfWork } from '../../src/index.ts';
import { connect } from '../../src/postgres/orm/connect.ts';
import {
  TestDatabase,
  aScenarioNode,
  anAnalysisRun,
  anExperiment,
  anExploration,
} from '../../src/testing/index.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';

describe('an inner unit of work', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  const failure = new Error('given up');

  /** Runs `work` within `uow`, makes it fail, and checks that the error is thrown unchanged. */
  async function fail(uow: UnitOfWork, work: (inner: UnitOfWork) => Promise<unknown>): Promise<void> {
    const failed = uow.transact(async (inner) => {
      await work(inner);
      throw failure;
    });
    await expect(failed).rejects.toBe(failure);
  }

  const stored = (id: string): Promise<Experiment | null> =>
    db.read(({ experiments }) => experiments.find(id, { deleted: 'included' }));

  test('is committed with the outer one when it succeeds, and shares its entities', async () => {
    const id = await db.transact(async (uow) => {
      const experiment = anExperiment(uow.em);
      const within = await uow.transact(async (inner) => {
        experiment.name = 'Renamed within';
        anAnalysisRun(inner.em, { experiment });
        return inner.experiments.get(experiment.id);
      });
      expect(within).toBe(experiment);
      expect(await uow.experiments.getSummary(experiment.id)).toMatchObject({ hasAnalysis: true });
      within.hypothesis = 'Changed after';
      return experiment.id;
    });

    expect(await stored(id)).toMatchObject({ name: 'Renamed within', hypothesis: 'Changed after' });
  });

  test('rolls back its own changes when it fails, and keeps those before and after it', async () => {
    const [before, within, after] = await db.transact(async (uow) => {
      const { id: first } = anExperiment(uow.em);
      let second = '';
      await fail(uow, async (inner) => {
        second = anExperiment(inner.em).id;
        await inner.flush();
      });
      return [first, second, anExperiment(uow.em).id];
    });

    expect(await stored(before)).not.toBeNull();
    expect(await stored(within)).toBeNull();
    expect(await stored(after)).not.toBeNull();
  });

  test('rolls back a change that PostgreSQL refuses, and the outer one can continue', async () => {
    const id = await db.transact(async (uow) => {
      const experiment = anExperiment(uow.em);
      anAnalysisRun(uow.em, { experiment });

      const second = uow.transact(async (inner) => void anAnalysisRun(inner.em, { experiment }));

      await expect(second).rejects.toBeInstanceOf(DuplicateError);
      await expect(second).rejects.toMatchObject({ constraint: 'uq_analysis_runs_experiment_id' });
      experiment.name = 'Went on';
      return experiment.id;
    });

    expect(await stored(id)).toMatchObject({ name: 'Went on' });
  });

  test('does not write staged entities after it failed before a flush', async () => {
    const staged = await db.transact(async (uow) => {
      let id = '';
      await fail(uow, async (inner) => {
        ({ id } = anExperiment(inner.em));
      });
      return id;
    });

    expect(await stored(staged)).toBeNull();
  });

  test('restores loaded entities: values, documents, times, relations, versions', async () => {
    await db.transact(async (uow) => {
      const exploration = anExploration(uow.em, { startedAt: new Date(0) });
      const other = anExploration(uow.em);
      await uow.flush();
      const { config, experiment } = exploration;

      await fail(uow, async (inner) => {
        exploration.startedAt.setFullYear(2000);
        exploration.currentDepth = 7;
        exploration.bestSuccessRate = 0.5;
        exploration.experiment = other.experiment;
        exploration.goal.value = 0.1;
        await inner.flush();
        await inner.explorations.recordLlmCalls(exploration.id, 3);
        exploration.status = 'goal_achieved';
      });

      expect(exploration).toMatchObject({
        currentDepth: 0,
        status: 'running',
        totalLlmCalls: 0,
        goal: { value: 0.8 },
        startedAt: new Date(0),
        rowVersion: 1,
      });
      expect(exploration.bestSuccessRate).toBeUndefined();
      expect(exploration.experiment).toBe(experiment);
      expect(exploration.config).toBe(config);
    });
  });

  test('leaves loaded entities usable for further changes', async () => {
    const id = await db.transact(async (uow) => {
      const exploration = anExploration(uow.em);
      await fail(uow, async (inner) => {
        exploration.config = { seed: 1 };
        exploration.currentDepth = 2;
        await inner.flush();
      });
      exploration.currentDepth = 2;
      exploration.goal.value = 0.3;
      return exploration.id;
    });

    expect(await db.read(({ explorations }) => explorations.getSummary(id))).toMatchObject({
      currentDepth: 2,
      goal: { value: 0.3 },
      config: { beam_width: 3 },
    });
  });

  test('restores an entity that it removed, and the entities that reference it', async () => {
    const [root, child] = await db.transact(async (uow) => {
      const parent = aScenarioNode(uow.em);
      const node = aScenarioNode(uow.em, { parent });
      await fail(uow, async (inner) => {
        inner.scenarioNodes.remove(parent);
        await inner.flush();
        expect(await inner.scenarioNodes.find(parent.id)).toBeNull();
      });
      expect(await uow.scenarioNodes.find(parent.id)).toBe(parent);
      expect(node.parent).toBe(ref(parent));
      parent.shortAction = 'Still here';
      return [parent.id, node.id];
    });

    expect(await db.read(({ scenarioNodes }) => scenarioNodes.listPath(child))).toMatchObject([
      { id: root, shortAction: 'Still here' },
      { id: child },
    ]);
  });

  test('hides its change of a row that it loaded itself', async () => {
    const { id } = await db.transact(async ({ em }) => aScenarioNode(em));

    await db.transact(async (uow) => {
      const node = await uow.scenarioNodes.get(id);
      await fail(uow, async (inner) => {
        await inner.explorations.recordLlmCalls(node.exploration.id, 5);
        expect(await inner.explorations.get(node.exploration.id)).toMatchObject({ totalLlmCalls: 5 });
      });

      expect(await uow.explorations.get(node.exploration.id)).toMatchObject({
        totalLlmCalls: 0,
        rowVersion: 1,
        status: 'running',
      });
    });
  });

  test('leaves relations that load entities of the outer one', async () => {
    const { id } = await db.transact(async ({ em }) => aScenarioNode(em));

    await db.transact(async (uow) => {
      const node = await uow.scenarioNodes.get(id);
      await fail(uow, (inner) => inner.transact((innermost) => innermost.scenarioNodes.get(id)));

      const { experiment } = await node.exploration.loadOrFail();
      expect(await uow.experiments.get(experiment.id)).toBe(experiment.unwrap());
    });
  });

  test('rolls back changes that it made through the outer unit of work', async () => {
    const [known, ghost, staged] = await db.transact(async (uow) => {
      const experiment = anExperiment(uow.em);
      const ids = [experiment.id];
      await fail(uow, async () => {
        ids.push(uow.experiments.add({ name: 'Written', hypothesis: 'By the other' }).id);
        await uow.flush();
        ids.push(uow.experiments.add({ name: 'Staged', hypothesis: 'By the other' }).id);
        uow.experiments.remove(experiment);
      });
      expect(await uow.experiments.find(ids[1] ?? '')).toBeNull();
      return ids;
    });

    expect(await stored(known ?? '')).not.toBeNull();
    expect(await stored(ghost ?? '')).toBeNull();
    expect(await stored(staged ?? '')).toBeNull();
  });

  test('does not hide from the outer one a later change of another transaction', async () => {
    const { id } = await db.transact(async ({ em }) => anExperiment(em));

    const late = db.transact(async (uow) => {
      const experiment = await uow.experiments.get(id);
      await db.transact(({ experiments }) => experiments.update(id, { name: 'First' }));
      await fail(uow, async () => {});
      experiment.name = 'Second';
    });

    await expect(late).rejects.toBeInstanceOf(ContentionError);
    expect(await stored(id)).toMatchObject({ name: 'First' });
  });

  test('can have an inner one, which is rolled back separately', async () => {
    const id = await db.transact(async (uow) => {
      const experiment = anExperiment(uow.em, { name: 'outer', hypothesis: 'outer' });
      await uow.transact(async (middle) => {
        experiment.name = 'middle';
        await fail(middle, async (inner) => {
          experiment.hypothesis = 'inner';
          await inner.flush();
        });
        expect(experiment).toMatchObject({ name: 'middle', hypothesis: 'outer' });
      });
      await fail(uow, async (second) => {
        await second.transact(async () => {
          experiment.hypothesis = 'deep';
        });
        expect(experiment.hypothesis).toBe('deep');
      });
      expect(experiment).toMatchObject({ name: 'middle', hypothesis: 'outer' });
      return experiment.id;
    });

    expect(await stored(id)).toMatchObject({ name: 'middle', hypothesis: 'outer' });
  });

  test('is refused while another one runs, which loses nothing', async () => {
    const [first, second] = await db.transact(async (uow) => {
      const staged: string[] = [];
      const stage = async (inner: UnitOfWork): Promise<void> => {
        staged.push(anExperiment(inner.em).id);
        await inner.flush();
      };
      const [running, refused] = await Promise.allSettled([uow.transact(stage), uow.transact(stage)]);
      expect([running.status, refused.status]).toEqual(['fulfilled', 'rejected']);
      await fail(uow, async () => {});
      await uow.transact(stage);
      return staged;
    });

    expect(await stored(first ?? '')).not.toBeNull();
    expect(await stored(second ?? '')).not.toBeNull();
  });

  test('sends no statements to restore entities', async () => {
    await using proxy = await WireProxy.start(db.target);
    await using database = new Database(await connect(proxy.target));

    await database.transact(async (uow) => {
      const experiments = Array.from({ length: 50 }, () => anExperiment(uow.em));
      await uow.flush();
      proxy.reset();
      await fail(uow, async () => {
        for (const experiment of experiments) experiment.name = 'Taken back';
      });
      expect(new Set(experiments.map(({ name }) => name))).toEqual(new Set(['Checkout in one step']));
    });

    expect(proxy.statements).toEqual([
      expect.stringMatching(/^savepoint/),
      expect.stringMatching(/^rollback to/),
      'commit',
    ]);
  });
});
