import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { checks, jsonObjects, keys, lengths, notBlank } from './checks.ts';
import { id, rowVersion, timestamps } from './columns.ts';
import { shapes } from './load-shapes.ts';
import { setsUpdatedAt, incrementsRowVersion } from './triggers.ts';

/** A `deleted` experiment is hidden from reads by default; its row and its children stay. */
export const experimentStatuses = ['active', 'deleted'] as const;

export const ExperimentSchema = defineEntity({
  name: 'Experiment',
  tableName: 'experiments',
  properties: {
    id: id('exp'),
    name: p.text(),
    hypothesis: p.text(),
    description: p.text().nullable(),
    scorecardData: jsonColumn(() => shapes().Scorecard).nullable(),
    ...timestamps,
    status: p.enum(experimentStatuses).default('active'),
    ...rowVersion,
  },
  indexes: [
    {
      name: 'idx_experiments_created',
      properties: ['createdAt'],
      columns: [{ name: 'createdAt', sort: 'desc' }],
    },
    { name: 'idx_experiments_name', properties: ['name'] },
    { name: 'idx_experiments_status', properties: ['status'] },
    {
      name: 'idx_experiments_active_created_at_id',
      properties: ['createdAt', 'id'],
      columns: [
        { name: 'createdAt', sort: 'desc' },
        { name: 'id', sort: 'desc' },
      ],
      where: `status = 'active'`,
    },
    // As an expression: `updated_at` is null in a row that was never changed, and lists have those last.
    {
      name: 'idx_experiments_active_updated_at_id',
      expression: `create index "idx_experiments_active_updated_at_id" on "experiments" (updated_at desc nulls last, id desc) where status = 'active'`,
    },
  ],
  checks: checks('experiments', {
    ...keys('id'),
    ...notBlank('name', 'hypothesis'),
    ...lengths({ name: 100, hypothesis: 500, description: 2000 }),
    ...jsonObjects('scorecard_data'),
  }),
  triggers: [setsUpdatedAt, incrementsRowVersion],
});

/**
 * A product hypothesis under test. Deleting its row deletes its guide, analysis, explorations and documents; its research executions stay,
 * without an experiment.
 */
export class Experiment extends ExperimentSchema.class {}
ExperimentSchema.setClass(Experiment);
