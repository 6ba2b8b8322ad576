import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { checks, counts, jsonArrays, keys } from './checks.ts';
import { id, instant, rowVersion } from './columns.ts';
import { ResearchExecution } from './research-execution.ts';
import { incrementsRowVersion } from './triggers.ts';
import { shapes } from './load-shapes.ts';

export const TranscriptSchema = defineEntity({
  name: 'Transcript',
  tableName: 'transcripts',
  properties: {
    id: id('trn'),
    execution: () => p.manyToOne(ResearchExecution).ref().name('exec_id').deleteRule('cascade'),
    synthId: p.text().index('idx_transcripts_synth'),
    synthName: p.text(),
    status: p.text().default('pending'),
    turnCount: p.integer().default(0),
    recordedAt: instant().name('timestamp'),
    messages: jsonColumn(() => shapes().TranscriptMessages).nullable(),
    ...rowVersion,
  },
  indexes: [
    // As an expression: the ORM's comparison reports mixed directions after a relation as a change, each time.
    {
      name: 'idx_transcripts_exec_id_timestamp_id',
      expression: `create index "idx_transcripts_exec_id_timestamp_id" on "transcripts" (exec_id, "timestamp" desc, id desc)`,
    },
  ],
  uniques: [{ name: 'uq_transcripts_exec_synth', properties: ['execution', 'synthId'] }],
  checks: checks('transcripts', {
    ...keys('id', 'synth_id'),
    ...counts('turn_count'),
    ...jsonArrays('messages'),
  }),
  triggers: [incrementsRowVersion],
});

/** The interview of a synth in an execution: one at most. It stays when the synth is deleted, not when the execution is. */
export class Transcript extends TranscriptSchema.class {}
TranscriptSchema.setClass(Transcript);
