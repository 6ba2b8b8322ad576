import type { Scorecard } from '../../src/entities.ts';

/** What an experiment must have to be simulated. */
export const scorecard: Scorecard = {
  feature_name: 'One tap',
  description_text: 'Pay with one tap',
  complexity: { score: 0.5 },
  initial_effort: { score: 0.4 },
  perceived_risk: { score: 0.3 },
  time_to_value: { score: 0.2 },
};
