import { z } from 'zod';

/** Shape of `analysis_runs.config`. A missing number has the default of the simulation. */
export const AnalysisConfig = z.looseObject({
  n_synths: z.int().min(10).max(10_000).optional(),
  n_executions: z.int().min(10).max(1_000).optional(),
  sigma: z.number().min(0).max(0.5).optional(),
  seed: z.int().nullish(),
});
export type AnalysisConfig = z.infer<typeof AnalysisConfig>;
