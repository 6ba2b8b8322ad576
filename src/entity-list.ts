// The list of entities. The ORM's list and the types of the rows derive from this file.
export * from './entities/analysis-cache.ts';
export * from './entities/analysis-run.ts';
export * from './entities/chart-insight.ts';
export * from './entities/experiment-document.ts';
export * from './entities/experiment.ts';
export * from './entities/exploration.ts';
export * from './entities/interview-guide.ts';
export * from './entities/legacy/feature-scorecard.ts';
export * from './entities/legacy/simulation-run.ts';
export * from './entities/region-analysis.ts';
export * from './entities/research-execution.ts';
export * from './entities/scenario-node.ts';
export * from './entities/sensitivity-result.ts';
export * from './entities/synth-group.ts';
export * from './entities/synth-outcome.ts';
export * from './entities/synth.ts';
export * from './entities/transcript.ts';
