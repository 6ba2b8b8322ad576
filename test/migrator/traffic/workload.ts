import type { OpenWorkload } from 'mikro-orm-safe-migrations';
import type * as Factories from '../../../src/testing/factories.ts';
import type { Database, openDatabase, UnitOfWork } from '../../../src/index.ts';

/** A build of this package: what its `src/index.ts` and `src/testing/factories.ts` export. */
export interface Build {
  readonly openDatabase: typeof openDatabase;
  readonly factories: typeof Factories;
}

// A deadlock, or a statement that must be prepared again after a change of the schema.
const again = { retries: 3 };

/** Returns the workload of a build, by its repositories. Every table is written, read and emptied of what was written. */
export function workloadOf({ openDatabase: open, factories: make }: Build): OpenWorkload {
  return async (url) => {
    const database = await open({ url, schemaAhead: 'ignore' });
    const stored: Stored[] = [];
    // One caller at a time edits it: two would conflict in any schema.
    const withStored = async (work: (keys: Stored) => Promise<unknown>): Promise<void> => {
      const keys = stored.shift() ?? (await database.transact((uow) => store(uow, make), again));
      await work(keys);
      stored.push(keys);
    };
    return {
      requests: {
        'store an experiment': async () => {
          stored.push(await database.transact((uow) => store(uow, make), again));
        },
        'edit an experiment': () => withStored((keys) => edit(database, keys)),
        'read an experiment': () => withStored((keys) => read(database, keys)),
        'list experiments': () =>
          database.read(({ experiments }) => experiments.pageSummaries({ limit: 20 })),
        'list synths': () => database.read(({ synths }) => synths.pageSummaries({ limit: 20 })),
        'remove an experiment': async () => {
          const keys = stored.shift();
          if (keys) await database.transact((uow) => remove(uow, keys), again);
        },
      },
      close: () => database.close(),
    };
  };
}

interface Stored {
  readonly experiment: string;
  readonly analysis: string;
  readonly group: string;
  readonly synth: string;
}

async function store({ em }: UnitOfWork, make: Build['factories']): Promise<Stored> {
  const experiment = make.anExperiment(em);
  const analysis = make.anAnalysisRun(em, { experiment });
  const exploration = make.anExploration(em, { experiment, baselineAnalysis: analysis });
  const root = make.aScenarioNode(em, { exploration });
  make.aScenarioNode(em, { exploration, parent: root });
  for (const _ of [1, 2, 3]) make.aSynthOutcome(em, { analysis });
  make.anInterviewGuide(em, { experiment });
  make.anAnalysisCache(em, { analysis });
  make.aTranscript(em, { execution: make.aResearchExecution(em, { experiment }) });
  make.anExperimentDocument(em, { experiment });
  const simulationId = analysis.id;
  make.aChartInsight(em, { simulationId });
  make.aSensitivityResult(em, { simulationId });
  make.aRegionAnalysis(em, { simulationId });
  const synthGroup = make.aSynthGroup(em);
  const synth = make.aSynth(em, { synthGroup });
  make.aSimulationRun(em, { scorecard: make.aFeatureScorecard(em, { experiment }) });
  await em.flush();
  return {
    experiment: experiment.id,
    analysis: analysis.id,
    group: synthGroup.id,
    synth: synth.id,
  };
}

async function edit(database: Database, { experiment, analysis }: Stored): Promise<void> {
  await database.transact(async ({ experiments, interviewGuides, analysisRuns, analysisCache }) => {
    await experiments.update(experiment, { name: 'Checkout in two steps' });
    await interviewGuides.update(experiment, { contextDefinition: 'At home' });
    await analysisRuns.saveStatus(analysis, 'running', { totalSynths: 3 });
    await analysisCache.deleteEntries(analysis);
  }, again);
}

async function read(database: Database, { experiment, analysis }: Stored): Promise<void> {
  await database.read(async ({ experiments, explorations, chartInsights, regionAnalyses, synthOutcomes }) => {
    await experiments.getSummary(experiment);
    await explorations.pageSummaries(experiment, { limit: 5 });
    await chartInsights.listBySimulation(analysis);
    await regionAnalyses.listBySimulation(analysis);
    await synthOutcomes.pageSummaries(analysis, { limit: 5 });
  });
}

async function remove(
  { em, experiments, synthGroups, synths, chartInsights, regionAnalyses, sensitivityResults }: UnitOfWork,
  { experiment, analysis, group, synth }: Stored,
): Promise<void> {
  await chartInsights.deleteBySimulation(analysis);
  await regionAnalyses.deleteBySimulation(analysis);
  await sensitivityResults.deleteBySimulation(analysis);
  synths.remove(await synths.get(synth));
  synthGroups.remove(await synthGroups.get(group));
  experiments.remove(await experiments.get(experiment));
  await em.flush();
}
