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
} from '../../src/entities.ts';
import { changed, trackedOf } from '../concurrency/histories/row-state.ts';
import type { Method } from './methods.ts';
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

// By repository, where a change of every column of its entity would not make each of its methods but `find` and `get` give something
// else, or would break a rule.
const changes: Readonly<Partial<Record<keyof ReadingUnitOfWork, readonly Change[]>>> = {
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

/** What makes all reading methods of a repository but `find` and `get` give something else. */
export function changesFor({ repository, entity }: Method): readonly Change[] {
  return changes[repository] ?? [each<object>(entity, changeColumns)];
}

/** Changes each number, text and document of a row that is neither key nor out of a closed set. */
function changeColumns(row: object, em: EntityManager): void {
  for (const { property, kind } of trackedOf(em.getMetadata().get(row.constructor), row)) {
    Reflect.set(row, property, changed(kind, Reflect.get(row, property), 1));
  }
}

function each<E extends object>(entity: EntityClass<E>, change: (row: E, em: EntityManager) => void): Change {
  return (em) => {
    // As they are in memory: to ask for them might flush those that were changed before.
    const rows = em.getUnitOfWork().getIdentityMap().getStore(em.getMetadata().get(entity)).values();
    for (const row of rows) change(row, em);
  };
}
