import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnalysisRun, SynthOutcome } from '../../src/entities.ts';
import {
  DuplicateError,
  InvalidJsonError,
  InvalidValueError,
  NotFoundError,
  type UnitOfWork,
} from '../../src/index.ts';
import {
  TestDatabase,
  aScenarioNode,
  aSynthOutcome,
  anAnalysisCache,
  anAnalysisRun,
  anExperiment,
  anExploration,
} from '../../src/testing/index.ts';
import { race } from './race.ts';

describe('AnalysisRunRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('a run is found by its experiment, deleted or not, and not by another', () =>
    db.rollback(async ({ analysisRuns, em }) => {
      const run = anAnalysisRun(em);
      const deleted = anAnalysisRun(em, { experiment: anExperiment(em, { status: 'deleted' }) });
      const bare = anExperiment(em);

      expect(await analysisRuns.findByExperiment(run.experiment.id)).toBe(run);
      expect(await analysisRuns.findByExperiment(deleted.experiment.id)).toBe(deleted);
      expect(await analysisRuns.findByExperiment(bare.id)).toBeNull();
      expect(await analysisRuns.getByExperiment(run.experiment.id)).toBe(run);
      await expect(analysisRuns.getByExperiment(bare.id)).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('a second run of an experiment is refused', async () => {
    const { id } = await db.transact(async ({ em }) => anExperiment(em));
    const add = (): Promise<void> =>
      db.transact(
        async ({ analysisRuns }) =>
          void analysisRuns.add({ experiment: id, config: {}, startedAt: new Date() }),
      );
    await add();

    await expect(add()).rejects.toBeInstanceOf(DuplicateError);
    await expect(add()).rejects.toMatchObject({ constraint: 'uq_analysis_runs_experiment_id' });
  });

  test('findLatestCompletedKey gives the key of a completed run, and of no other', () =>
    db.rollback(async ({ analysisRuns, em }) => {
      const keys: (string | null)[] = [];
      for (const status of ['pending', 'running', 'completed', 'failed'] as const) {
        const run = anAnalysisRun(em, { id: `ana_${status}`, status });
        keys.push(await analysisRuns.findLatestCompletedKey(run.experiment.id));
      }

      expect(keys).toEqual([null, null, 'ana_completed', null]);
      expect(await analysisRuns.findLatestCompletedKey('exp_missing')).toBeNull();
    }));

  test('saveStatus changes what is given, leaves what is absent, clears what is null', () =>
    db.rollback(async ({ analysisRuns, em }) => {
      const { id } = anAnalysisRun(em, {
        completedAt: at(1),
        totalSynths: 5,
        aggregatedOutcomes: outcomes,
        executionTimeSeconds: 1.5,
      });
      const bystander = anAnalysisRun(em);

      await analysisRuns.saveStatus(id, 'running');
      expect(await row(em, id)).toEqual({
        status: 'running',
        completed: true,
        total_synths: 5,
        aggregated_outcomes: outcomes,
        execution_time_seconds: 1.5,
      });
      await analysisRuns.saveStatus(id, 'failed', {
        completedAt: null,
        totalSynths: undefined,
        aggregatedOutcomes: null,
        executionTimeSeconds: null,
      });
      expect(await row(em, id)).toEqual({
        status: 'failed',
        completed: false,
        total_synths: 5,
        aggregated_outcomes: null,
        execution_time_seconds: null,
      });
      await analysisRuns.saveStatus(id, 'completed', {
        completedAt: at(2),
        totalSynths: 500,
        aggregatedOutcomes: outcomes,
        executionTimeSeconds: 2.5,
      });
      expect(await row(em, id)).toEqual({
        status: 'completed',
        completed: true,
        total_synths: 500,
        aggregated_outcomes: outcomes,
        execution_time_seconds: 2.5,
      });
      expect(await row(em, bystander.id)).toMatchObject({ status: 'pending' });
    }));

  test('saveStatus shows in a run that is loaded, and keeps what was changed there', () =>
    db.rollback(async ({ analysisRuns, em }) => {
      const run = anAnalysisRun(em, { aggregatedOutcomes: outcomes });
      await em.flush();
      run.scenarioId = 'mine';

      await analysisRuns.saveStatus(run.id, 'completed', { aggregatedOutcomes: null, completedAt: at(3) });

      expect(run).toMatchObject({
        status: 'completed',
        aggregatedOutcomes: null,
        completedAt: at(3),
        scenarioId: 'mine',
      });
    }));

  test('saveStatus refuses a missing run, and outcomes out of shape', () =>
    db.rollback(async ({ analysisRuns, em }) => {
      const run = anAnalysisRun(em);
      const tooMuch = { did_not_try_rate: 0.5, failed_rate: 0.5, success_rate: 0.5 };

      await expect(analysisRuns.saveStatus('ana_missing', 'running')).rejects.toBeInstanceOf(NotFoundError);
      await expect(
        analysisRuns.saveStatus(run.id, 'completed', { aggregatedOutcomes: tooMuch }),
      ).rejects.toBeInstanceOf(InvalidJsonError);
      expect(await row(em, run.id)).toMatchObject({ status: 'pending', aggregated_outcomes: null });
    }));

  test('a status that is none is refused by the database', async () => {
    const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));

    // @ts-expect-error -- what a caller without types may send
    const refused = db.transact(({ analysisRuns }) => analysisRuns.saveStatus(id, 'odd'));

    await expect(refused).rejects.toBeInstanceOf(InvalidValueError);
  });

  test('deleteByExperiment removes the run with what hangs on it, and lets a new one be added at once', () =>
    db.rollback(async ({ analysisRuns, em }) => {
      const old = anAnalysisRun(em);
      aSynthOutcome(em, { analysis: old });
      anAnalysisCache(em, { analysis: old });
      aScenarioNode(em, { exploration: anExploration(em, { baselineAnalysis: old }) });
      const bystander = aSynthOutcome(em);

      expect(await analysisRuns.deleteByExperiment(old.experiment.id)).toBe(true);
      const fresh = analysisRuns.add({ experiment: old.experiment.id, config: {}, startedAt: at(1) });
      await em.flush();

      expect(await analysisRuns.findByExperiment(old.experiment.id)).toBe(fresh);
      expect(await analysisRuns.find(old.id)).toBeNull();
      expect(await em.count(AnalysisRun, { id: bystander.analysis.id })).toBe(1);
      expect(await em.count(SynthOutcome)).toBe(1);
      const left = await em.execute(
        'select id from explorations union all select cache_key from analysis_cache',
      );
      expect(left).toEqual([]);
    }));

  test('deleteByExperiment tells that there was no run', () =>
    db.rollback(async ({ analysisRuns, em }) => {
      const { id } = anExperiment(em);

      expect(await analysisRuns.deleteByExperiment(id)).toBe(false);
    }));

  test('remove removes one run', () =>
    db.rollback(async ({ analysisRuns, em }) => {
      const [run, other] = [anAnalysisRun(em), anAnalysisRun(em)];
      await em.flush();

      analysisRuns.remove(run);
      await em.flush();

      expect(await em.find(AnalysisRun, { id: { $in: [run.id, other.id] } })).toEqual([other]);
    }));

  test('lock gives the run as it is now, and makes another wait', async () => {
    const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));

    const [, seen] = await race(
      db,
      async ({ analysisRuns }) => {
        const run = await analysisRuns.lock(id);
        if (run) run.status = 'running';
      },
      async ({ analysisRuns }) => {
        // Loaded before the other one has committed.
        const stale = await analysisRuns.get(id);
        const before = stale.status;
        const run = await analysisRuns.lock(id);
        return [before, run?.status];
      },
    );

    expect(seen).toEqual(['pending', 'running']);
    expect(await db.transact(({ analysisRuns }) => analysisRuns.lock('ana_missing'))).toBeNull();
  });

  test('lockNextPending passes over the run of a deleted experiment until that is restored', () =>
    db.rollback(async ({ analysisRuns, experiments, em }) => {
      await em.execute('delete from experiments');
      const { id } = anExperiment(em);
      const run = anAnalysisRun(em, { experiment: id });

      await experiments.softDelete(id);
      expect(await analysisRuns.lockNextPending()).toBeNull();
      expect(await analysisRuns.lock(run.id)).toBe(run);
      await experiments.restore(id);
      expect(await analysisRuns.lockNextPending()).toBe(run);
    }));

  test('lockNextPending holds the run and not its experiment', async () => {
    await db.transact(({ em }) => em.execute('delete from experiments'));
    const { id } = await db.transact(async ({ em }) => anAnalysisRun(em).experiment);

    await db.transact(async ({ analysisRuns }) => {
      expect(await analysisRuns.lockNextPending()).not.toBeNull();
      await db.transact(async ({ experiments, em }) => {
        await em.execute(`set local lock_timeout = '1s'`);
        await experiments.update(id, { name: 'edited meanwhile' });
      });
    });

    expect(await db.read(({ experiments }) => experiments.get(id))).toMatchObject({
      name: 'edited meanwhile',
    });
  });

  test('lockNextPending gives the pending run that was started first, by key where times are equal', () =>
    db.rollback(async ({ analysisRuns, em }) => {
      await em.execute('delete from experiments');
      for (const [id, second, status] of [
        ['d', 1, 'running'],
        ['b', 3, 'pending'],
        ['a', 3, 'pending'],
        ['c', 2, 'pending'],
      ] as const) {
        anAnalysisRun(em, { id: `ana_${id}`, startedAt: at(second), status });
      }

      const claimed: string[] = [];
      for (let run = await analysisRuns.lockNextPending(); run; run = await analysisRuns.lockNextPending()) {
        claimed.push(run.id);
        run.status = 'running';
      }

      expect(claimed).toEqual(['ana_c', 'ana_a', 'ana_b']);
    }));

  test('workers that claim at once get a run each, without waiting', async () => {
    await db.orm.em.fork().execute('delete from experiments');
    await db.transact(async ({ em }) => {
      for (const id of ['a', 'b', 'c']) anAnalysisRun(em, { id: `ana_${id}`, startedAt: at(1) });
    });

    const claimed = await db.transact(async (first) => [
      await claim(first),
      ...(await db.transact(async (second) => [
        await claim(second),
        ...(await db.transact(async (third) => [await claim(third), await db.transact(claim)])),
      ])),
    ]);

    expect(claimed).toEqual(['ana_a', 'ana_b', 'ana_c', null]);
  });
});

const outcomes = { did_not_try_rate: 0.2, failed_rate: 0.3, success_rate: 0.5 };

async function claim({ analysisRuns }: UnitOfWork): Promise<string | null> {
  return (await analysisRuns.lockNextPending())?.id ?? null;
}

async function row(em: UnitOfWork['em'], id: string): Promise<unknown> {
  const [found] = await em.execute<unknown[]>(
    `select status, completed_at is not null as completed, total_synths, aggregated_outcomes, execution_time_seconds
     from analysis_runs where id = ?`,
    [id],
  );
  return found;
}

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
