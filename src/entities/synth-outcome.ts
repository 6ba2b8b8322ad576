import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { shapes } from './load-shapes.ts';
import { AnalysisRun } from './analysis-run.ts';
import { checks, jsonObjects, keys, rates } from './checks.ts';
import { double, id, rowVersion } from './columns.ts';
import { incrementsRowVersion } from './triggers.ts';

export const SynthOutcomeSchema = defineEntity({
  name: 'SynthOutcome',
  tableName: 'synth_outcomes',
  properties: {
    id: id('out'),
    analysis: () => p.manyToOne(AnalysisRun).ref().deleteRule('cascade'),
    synthId: p.text().index(),
    didNotTryRate: double(),
    failedRate: double(),
    successRate: double(),
    synthAttributes: jsonColumn(() => shapes().SimulationAttributes).nullable(),
    ...rowVersion,
  },
  uniques: [{ name: 'uq_synth_outcomes_analysis_synth', properties: ['analysis', 'synthId'] }],
  checks: checks('synth_outcomes', {
    ...keys('id', 'synth_id'),
    ...rates('did_not_try_rate', 'failed_rate', 'success_rate'),
    ...jsonObjects('synth_attributes'),
  }),
  triggers: [incrementsRowVersion],
});

/** The outcome of a synth in an analysis run, with its attributes at that time. It stays when the synth is deleted, not when the run is. */
export class SynthOutcome extends SynthOutcomeSchema.class {}
SynthOutcomeSchema.setClass(SynthOutcome);
