import { z } from 'zod';

/** One condition of a region: an attribute compared with a threshold. */
export const RegionRule = z.looseObject({
  attribute: z.string(),
  operator: z.enum(['<', '<=', '>', '>=']),
  threshold: z.number(),
});
export type RegionRule = z.infer<typeof RegionRule>;

/** Shape of `region_analyses.rules`; a synth of the region meets all of them. */
export const RegionRules = z.array(RegionRule);
export type RegionRules = z.infer<typeof RegionRules>;
