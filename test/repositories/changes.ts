import { ref, type EntityClass, type EntityManager } from '@mikro-orm/postgresql';
import type { ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import {
  AnalysisCache,
  AnalysisRun,
  ChartInsight,
  Experiment,
  ExperimentDocument,
  Exploration,
  FeatureScorecard,
  InterviewGuide,
  RegionAnalysis,
  ResearchExecution,
  ScenarioNode,
  SensitivityResult,
  SimulationRun,
  Synth,
  SynthGroup,
  SynthOutcome,
  Transcript,
} from '../../src/entities/index.ts';
import { aFeatureScorecard, anAnalysisRun, anExperiment } from '../../src/testing/index.ts';

/** Changes loaded rows. Nothing is flushed. */
type Change = (em: EntityManager) => void;

const documents = each(ExperimentDocument, (document) => {
  document.status = 'partial';
  if (document.documentType === 'summary') document.documentType = 'executive_summary';
});

const outcomes = each(SynthOutcome, (outcome, em) => {
  outcome.analysis = ref(anAnalysisRun(em));
});

/** For each repository, by its name in a unit of work, what makes all of its methods but `find` and `get` give something else. */
export const changes: Readonly<Record<keyof ReadingUnitOfWork, readonly Change[]>> = {
  analysisCache: [
    each(AnalysisCache, (entry) => {
      entry.data = { ...entry.data, status: 'failed' };
    }),
  ],
  analysisRuns: [
    each(AnalysisRun, (run, em) => {
      run.experiment = ref(anExperiment(em));
    }),
  ],
  chartInsights: [
    each(ChartInsight, (insight) => {
      insight.insightType += ', once';
    }),
  ],
  experimentDocuments: [documents],
  experiments: [
    each(Experiment, (experiment) => {
      experiment.name = 'Checkout in two steps';
    }),
  ],
  explorations: [
    each(Exploration, (exploration) => {
      exploration.currentDepth = 9;
    }),
  ],
  featureScorecards: [
    each(FeatureScorecard, (scorecard) => {
      scorecard.experiment = null;
    }),
  ],
  interviewGuides: [
    each(InterviewGuide, (guide, em) => {
      em.remove(guide);
    }),
  ],
  regionAnalyses: [
    each(RegionAnalysis, (region) => {
      region.ruleText = 'any';
    }),
  ],
  researchExecutions: [
    each(ResearchExecution, (execution) => {
      execution.status = 'failed';
      execution.additionalContext = null;
    }),
    documents,
  ],
  scenarioNodes: [
    each(ScenarioNode, (node) => {
      node.nodeStatus = 'dominated';
      node.depth += 1;
    }),
  ],
  sensitivityResults: [
    each(SensitivityResult, (result) => {
      result.simulationId += ', once';
    }),
  ],
  simulationRuns: [
    each(SimulationRun, (run, em) => {
      run.scorecard = ref(aFeatureScorecard(em));
    }),
    outcomes,
  ],
  synthGroups: [
    each(SynthGroup, (group) => {
      group.name = 'Bakers';
    }),
  ],
  synthOutcomes: [outcomes],
  synths: [
    each(Synth, (synth) => {
      synth.synthGroup = null;
      synth.avatarPath = null;
    }),
    outcomes,
  ],
  transcripts: [
    each(Transcript, (transcript) => {
      transcript.turnCount += 1;
    }),
  ],
};

function each<E extends object>(entity: EntityClass<E>, change: (row: E, em: EntityManager) => void): Change {
  return (em) => {
    // As they are in memory: to ask for them might flush those that were changed before.
    const rows = em.getUnitOfWork().getIdentityMap().getStore(em.getMetadata().get(entity)).values();
    for (const row of rows) change(row, em);
  };
}
