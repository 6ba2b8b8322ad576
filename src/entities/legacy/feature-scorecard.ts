import { defineEntity, p } from '@mikro-orm/core';
import { z } from 'zod';
import { jsonColumn } from '../../json/column.ts';
import { checks, jsonObjects, keys } from '../checks.ts';
import { id, rowVersion, timestamps } from '../columns.ts';
import { Experiment } from '../experiment.ts';
import { rate } from '../shapes.ts';
import { setsUpdatedAt, incrementsRowVersion } from '../triggers.ts';

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

export const FeatureScorecardSchema = defineEntity({
  name: 'FeatureScorecard',
  tableName: 'feature_scorecards',
  properties: {
    id: id('card'),
    experiment: () =>
      p.manyToOne(Experiment).ref().nullable().deleteRule('set null').index('idx_scorecards_experiment'),
    data: jsonColumn(FeatureScorecardData),
    ...timestamps,
    ...rowVersion,
  },
  indexes: [
    {
      name: 'idx_feature_scorecards_created_at_id',
      properties: ['createdAt', 'id'],
      columns: [
        { name: 'createdAt', sort: 'desc' },
        { name: 'id', sort: 'desc' },
      ],
    },
  ],
  checks: checks('feature_scorecards', { ...keys('id'), ...jsonObjects('data') }),
  triggers: [setsUpdatedAt, incrementsRowVersion],
});

/**
 * A scorecard of older versions, separate from its experiment. It stays when the experiment is deleted. Deleting it deletes its simulation
 * runs.
 *
 * @deprecated Kept for its stored data; `Experiment.scorecardData` replaces it.
 */
export class FeatureScorecard extends FeatureScorecardSchema.class {}
FeatureScorecardSchema.setClass(FeatureScorecard);
