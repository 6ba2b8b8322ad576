import { z } from 'zod';
import { rate } from './shared.ts';

/** Shape of `explorations.goal`. */
export const ExplorationGoal = z.looseObject({
  metric: z.literal('success_rate'),
  operator: z.literal('>='),
  value: rate,
});
export type ExplorationGoal = z.infer<typeof ExplorationGoal>;

/** Shape of `explorations.config`. A missing number has the default of the explorer. */
export const ExplorationConfig = z.looseObject({
  beam_width: z.int().min(1).max(10).optional(),
  max_depth: z.int().min(1).max(10).optional(),
  max_llm_calls: z.int().min(1).max(100).optional(),
  n_executions: z.int().min(10).max(1_000).optional(),
  sigma: z.number().min(0).max(0.5).optional(),
  seed: z.int().nullish(),
});
export type ExplorationConfig = z.infer<typeof ExplorationConfig>;
