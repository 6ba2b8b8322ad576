import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { checks, jsonObjects, keys } from './checks.ts';
import { id, rowVersion, timestamps } from './columns.ts';
import { shapes } from './load-shapes.ts';
import { setsUpdatedAt, incrementsRowVersion } from './triggers.ts';

export const ChartInsightSchema = defineEntity({
  name: 'ChartInsight',
  tableName: 'chart_insights',
  properties: {
    id: id('ins'),
    simulationId: p.text(),
    insightType: p.text().index('idx_chart_insights_type'),
    responseJson: jsonColumn(() => shapes().JsonObject),
    ...timestamps,
    ...rowVersion,
  },
  uniques: [{ name: 'uq_chart_insights_sim_type', properties: ['simulationId', 'insightType'] }],
  checks: checks('chart_insights', { ...keys('id', 'simulation_id'), ...jsonObjects('response_json') }),
  triggers: [setsUpdatedAt, incrementsRowVersion],
});

/**
 * A language model's insight on one chart of a simulation or analysis, or on all of them (`executive_summary`).
 * A snapshot: it stays when the simulation is deleted.
 */
export class ChartInsight extends ChartInsightSchema.class {}
ChartInsightSchema.setClass(ChartInsight);
