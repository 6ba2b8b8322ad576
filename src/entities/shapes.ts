// The shapes of JSON documents. Nothing of a service's start imports them: see load-shapes.ts.
export * from './shapes/analysis-run.ts';
export * from './shapes/chart-data.ts';
export * from './shapes/experiment.ts';
export * from './shapes/exploration.ts';
export * from './shapes/feature-scorecard.ts';
export * from './shapes/region-analysis.ts';
export * from './shapes/scenario-node.ts';
export * from './shapes/sensitivity-result.ts';
export * from './shapes/simulation-run.ts';
export * from './shapes/synth.ts';
export * from './shapes/transcript.ts';
export { JsonObject, OutcomeRates } from './shapes/shared.ts';
