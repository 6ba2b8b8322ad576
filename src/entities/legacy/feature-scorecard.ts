import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../../json/column.ts';
import { checks, jsonObjects, keys } from '../checks.ts';
import { id, rowVersion, timestamps } from '../columns.ts';
import { Experiment } from '../experiment.ts';
import { shapes } from '../load-shapes.ts';
import { setsUpdatedAt, incrementsRowVersion } from '../triggers.ts';

export const FeatureScorecardSchema = defineEntity({
  name: 'FeatureScorecard',
  tableName: 'feature_scorecards',
  properties: {
    id: id('card'),
    experiment: () =>
      p.manyToOne(Experiment).ref().nullable().deleteRule('set null').index('idx_scorecards_experiment'),
    data: jsonColumn(() => shapes().FeatureScorecardData),
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
