// The list of entities. The ORM's list and the types of the rows derive from this file.
export * from './analysis-cache.ts';
export * from './analysis-run.ts';
export * from './chart-insight.ts';
export * from './experiment-document.ts';
export * from './experiment.ts';
export * from './exploration.ts';
export * from './interview-guide.ts';
export * from './legacy/feature-scorecard.ts';
export * from './legacy/simulation-run.ts';
export * from './region-analysis.ts';
export * from './research-execution.ts';
export * from './scenario-node.ts';
export * from './sensitivity-result.ts';
export * from './synth-group.ts';
export * from './synth-outcome.ts';
export * from './synth.ts';
export * from './transcript.ts';
