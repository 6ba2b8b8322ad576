import { z } from 'zod';
import { rate } from './shared.ts';

/** Shape of `simulation_runs.config`. */
export const SimulationConfig = z.looseObject({
  n_synths: z.int().min(1).optional(),
  n_executions: z.int().min(1).optional(),
  sigma: z.number().min(0).max(0.5).optional(),
  seed: z.int().nullish(),
});
export type SimulationConfig = z.infer<typeof SimulationConfig>;

/** Shape of `simulation_runs.aggregated_outcomes`. Its keys lack the suffix `_rate` of later tables. */
export const SimulationOutcomes = z.looseObject({ did_not_try: rate, failed: rate, success: rate });
export type SimulationOutcomes = z.infer<typeof SimulationOutcomes>;
