export { AnalysisRunRepository } from './analysis-run-repository.ts';
export { ExperimentRepository } from './experiment-repository.ts';
export { SynthGroupRepository } from './synth-group-repository.ts';
export { SynthOutcomeRepository } from './synth-outcome-repository.ts';
export { SynthRepository } from './synth-repository.ts';
