import { z } from 'zod';
import { rate, sumsToOne } from './shared.ts';

/** Shape of `scenario_nodes.scorecard_params`. */
export const ScorecardParams = z.looseObject({
  complexity: rate,
  initial_effort: rate,
  perceived_risk: rate,
  time_to_value: rate,
});
export type ScorecardParams = z.infer<typeof ScorecardParams>;

/** Shape of `scenario_nodes.simulation_results`. Its `fail_rate` is `failed_rate` in all other shapes. */
export const SimulationResults = z
  .looseObject({ success_rate: rate, fail_rate: rate, did_not_try_rate: rate })
  .refine((rates) => sumsToOne(rates.success_rate, rates.fail_rate, rates.did_not_try_rate), {
    error: 'the three rates must sum to 1 ± 0.01',
  });
export type SimulationResults = z.infer<typeof SimulationResults>;
