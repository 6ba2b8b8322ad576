import { z } from 'zod';
import { rate } from './shared.ts';

/** One rated dimension of a scorecard. */
export const ScorecardDimension = z
  .looseObject({
    score: rate,
    rules_applied: z.array(z.string()).optional(),
    lower_bound: rate.nullish(),
    upper_bound: rate.nullish(),
  })
  .refine(
    ({ lower_bound, upper_bound }) =>
      lower_bound == null || upper_bound == null || lower_bound <= upper_bound,
    {
      error: 'lower_bound is above upper_bound',
      path: ['lower_bound'],
    },
  );
export type ScorecardDimension = z.infer<typeof ScorecardDimension>;

/** Shape of `experiments.scorecard_data`. */
export const Scorecard = z.looseObject({
  feature_name: z.string(),
  scenario: z.string().optional(),
  description_text: z.string(),
  description_media_urls: z.array(z.string()).optional(),
  complexity: ScorecardDimension,
  initial_effort: ScorecardDimension,
  perceived_risk: ScorecardDimension,
  time_to_value: ScorecardDimension,
  justification: z.string().nullish(),
  impact_hypotheses: z.array(z.string()).optional(),
});
export type Scorecard = z.infer<typeof Scorecard>;
