import { z } from 'zod';
import { rate } from './shared.ts';

/** Shape of `sensitivity_results.deltas_used`. */
export const SensitivityDeltas = z.array(z.number());
export type SensitivityDeltas = z.infer<typeof SensitivityDeltas>;

/** The influence of one dimension of the scorecard on the outcome; `rank` 1 has the most. */
export const SensitivityDimension = z.looseObject({
  dimension: z.string(),
  baseline_value: rate,
  deltas_tested: z.array(z.number()),
  outcomes_by_delta: z.record(
    z.string(),
    z.looseObject({ did_not_try: z.number(), failed: z.number(), success: z.number() }),
  ),
  sensitivity_index: z.number(),
  rank: z.int().min(1),
});
export type SensitivityDimension = z.infer<typeof SensitivityDimension>;

/** Shape of `sensitivity_results.dimensions`. */
export const SensitivityDimensions = z.array(SensitivityDimension);
export type SensitivityDimensions = z.infer<typeof SensitivityDimensions>;
