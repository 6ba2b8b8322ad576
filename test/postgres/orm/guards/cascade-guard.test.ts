import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../../../src/postgres/orm/connect.ts';
import {
  AnalysisRun,
  Experiment,
  Exploration,
  FeatureScorecard,
  ResearchExecution,
  ScenarioNode,
  Synth,
} from '../../../../src/entities.ts';
import { Database, type UnitOfWork } from '../../../../src/index.ts';
import {
  TestDatabase,
  aFeatureScorecard,
  aResearchExecution,
  aScenarioNode,
  aSynth,
  aSynthGroup,
  aSynthOutcome,
  anAnalysisCache,
  anAnalysisRun,
  anExperiment,
  anExperimentDocument,
  anExploration,
  anInterviewGuide,
} from '../../../../src/testing/index.ts';
import { WireProxy } from '../../../proxy/wire-proxy.ts';

describe('a unit of work that removes a row', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    proxy = await WireProxy.start(db.target);
    database = new Database(await connect(proxy.target, { pool: { max: 1 } }));
  });
  afterEach(() =>
    db.orm.em.execute('truncate experiments, synths, synth_groups, feature_scorecards cascade'),
  );
  afterAll(async () => {
    await database.close();
    await proxy.close();
    await db.drop();
  });

  /** Flushes, and gives what was sent. */
  const flushed = async (uow: UnitOfWork): Promise<readonly string[]> => {
    proxy.reset();
    await uow.flush();
    return proxy.statements;
  };

  test.each(['run', 'experiment'] as const)(
    'the %s, forgets what the database deleted along with it, and goes on',
    (what) =>
      database.transact(async (uow) => {
        const { run, experiment, ofRun, ofExperiment } = family(uow);
        const bystander = anExploration(uow.em);
        await uow.flush();

        if (what === 'run') uow.analysisRuns.remove(run);
        else uow.experiments.remove(experiment);

        expect((await flushed(uow)).filter((sql) => !sql.startsWith('select'))).toEqual([
          expect.stringMatching(/^delete from/),
        ]);
        expect(await flushed(uow)).toEqual([]);
        for (const gone of what === 'run' ? ofRun : ofExperiment) {
          expect(uow.em.getUnitOfWork().getIdentityMap().values()).not.toContain(gone);
        }
        expect(await uow.em.count(Exploration)).toBe(1);
        expect(uow.em.getUnitOfWork().getIdentityMap().values()).toContain(bystander);
        bystander.totalNodes = 3;
        expect(await flushed(uow)).toEqual([expect.stringMatching(/^update "explorations"/)]);
      }),
  );

  test('that was just loaded, as are those that point at it', async () => {
    const { runId } = await db.transact(async (uow) => ({ runId: family(uow).run.id }));

    await database.transact(async (uow) => {
      const [exploration] = await uow.em.find(Exploration, {});
      uow.analysisRuns.remove(await uow.analysisRuns.get(runId));
      await uow.flush();

      await uow.flush();

      expect(await uow.explorations.find(exploration?.id ?? '')).toBeNull();
    });
  });

  test('a row that was changed in the same flush goes along as well', () =>
    database.transact(async (uow) => {
      const { run } = family(uow);
      await uow.flush();
      const [exploration] = await uow.em.find(Exploration, {});
      if (exploration) exploration.totalNodes = 9;

      uow.analysisRuns.remove(run);
      await uow.flush();

      expect(await flushed(uow)).toEqual([]);
    }));

  test('a row that was staged in the same flush goes along as well', () =>
    database.transact(async (uow) => {
      const run = anAnalysisRun(uow.em);
      await uow.flush();
      anExploration(uow.em, { baselineAnalysis: run });

      uow.analysisRuns.remove(run);
      await uow.flush();

      expect(await flushed(uow)).toEqual([]);
      expect(await uow.em.count(Exploration)).toBe(0);
    }));

  test('a row that no longer points at it stays', () =>
    database.transact(async (uow) => {
      const { run } = family(uow);
      const other = anAnalysisRun(uow.em);
      await uow.flush();
      const [exploration] = await uow.em.find(Exploration, {});
      if (exploration)
        exploration.baselineAnalysis = uow.em.getReference(AnalysisRun, other.id, { wrapped: true });

      uow.analysisRuns.remove(run);
      await uow.flush();

      if (exploration) exploration.totalNodes = 9;
      await uow.flush();
      expect(await uow.em.count(Exploration, { totalNodes: 9 })).toBe(1);
    }));

  test('rows that it leaves pointing at nothing say so, with nothing left to write', () =>
    database.transact(async (uow) => {
      const { em } = uow;
      const experiment = anExperiment(em);
      const execution = aResearchExecution(em, { experiment });
      const scorecard = aFeatureScorecard(em, { experiment });
      const synthGroup = aSynthGroup(em);
      const synth = aSynth(em, { synthGroup });
      const root = aScenarioNode(em);
      const child = aScenarioNode(em, { parent: root });
      await uow.flush();

      uow.experiments.remove(experiment);
      uow.synthGroups.remove(synthGroup);
      uow.scenarioNodes.remove(root);
      await uow.flush();

      expect([execution.experiment, scorecard.experiment, synth.synthGroup, child.parent]).toEqual(
        Array.from({ length: 4 }, () => null),
      );
      expect(await flushed(uow)).toEqual([]);
      execution.experiment = uow.em.getReference(Experiment, anExperiment(em).id, { wrapped: true });
      await uow.flush();
      expect(await em.count(ResearchExecution, { experiment: null })).toBe(0);
      expect(await em.count(FeatureScorecard, { experiment: null })).toBe(1);
      expect(await em.count(Synth, { synthGroup: null })).toBe(1);
      expect(await em.count(ScenarioNode, { parent: null })).toBe(1);
    }));

  test('behind a savepoint that is taken back, has it all again', () =>
    database.transact(async (uow) => {
      const { run } = family(uow);
      const execution = aResearchExecution(uow.em, { experiment: run.experiment });
      await uow.flush();
      const [exploration] = await uow.em.find(Exploration, {});

      const inner = uow.transact(async (within) => {
        within.experiments.remove(await within.experiments.get(run.experiment.id));
        await within.flush();
        throw new Error('taken back');
      });
      await expect(inner).rejects.toThrow('taken back');

      expect(execution.experiment?.id).toBe(run.experiment.id);
      expect(exploration?.baselineAnalysis.id).toBe(run.id);
      if (exploration) exploration.totalNodes = 4;
      expect(await flushed(uow)).toEqual([expect.stringMatching(/^update "explorations"/)]);
    }));
});

/** Stages an experiment with a run, and one of everything that dies with them. */
function family({ em }: UnitOfWork) {
  const run = anAnalysisRun(em);
  const { experiment } = run;
  const exploration = anExploration(em, { baselineAnalysis: run });
  const root = aScenarioNode(em, { exploration });
  const ofRun = [
    exploration,
    root,
    aScenarioNode(em, { parent: root }),
    aSynthOutcome(em, { analysis: run }),
    anAnalysisCache(em, { analysis: run }),
  ];
  const ofExperiment = [
    run,
    anInterviewGuide(em, { experiment }),
    anExperimentDocument(em, { experiment }),
    ...ofRun,
  ];
  return { run, experiment: experiment.unwrap(), ofRun, ofExperiment };
}
