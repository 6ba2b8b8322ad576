export { TestDatabase } from './test-database.ts';
export { TestServer } from './test-server.ts';
export {
  aChartInsight,
  aFeatureScorecard,
  aRegionAnalysis,
  aResearchExecution,
  aScenarioNode,
  aSensitivityResult,
  aSimulationRun,
  aSynth,
  aSynthGroup,
  aSynthOutcome,
  aTranscript,
  anAnalysisCache,
  anAnalysisRun,
  anExperiment,
  anExperimentDocument,
  anExploration,
  anInterviewGuide,
} from './factories.ts';
