import { z } from 'zod';
import { rate } from './shared.ts';

const Dimension = z
  .looseObject({
    score: rate,
    rules_applied: z.array(z.string()).optional(),
    min_uncertainty: rate.optional(),
    max_uncertainty: rate.optional(),
  })
  .refine(({ min_uncertainty = 0, max_uncertainty = 0 }) => min_uncertainty <= max_uncertainty, {
    error: 'min_uncertainty is above max_uncertainty',
    path: ['min_uncertainty'],
  });

/** Shape of `feature_scorecards.data`. */
export const FeatureScorecardData = z.looseObject({
  id: z.string(),
  experiment_id: z.string().nullish(),
  identification: z.looseObject({
    feature_name: z.string(),
    use_scenario: z.string(),
    created_at: z.string().optional(),
    evaluators: z.array(z.string()).optional(),
  }),
  description_text: z.string(),
  description_media_urls: z.array(z.string()).optional(),
  complexity: Dimension,
  initial_effort: Dimension,
  perceived_risk: Dimension,
  time_to_value: Dimension,
  justification: z.string().nullish(),
  impact_hypotheses: z.array(z.string()).optional(),
  version: z.string().optional(),
  created_at: z.string().optional(),
  updated_at: z.string().nullish(),
});
export type FeatureScorecardData = z.infer<typeof FeatureScorecardData>;
