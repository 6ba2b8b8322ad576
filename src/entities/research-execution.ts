import { defineEntity, p } from '@mikro-orm/core';
import { checks, counts, keys } from './checks.ts';
import { id, instant, rowVersion } from './columns.ts';
import { Experiment } from './experiment.ts';
import { incrementsRowVersion } from './triggers.ts';

export const executionStatuses = ['pending', 'running', 'generating_summary', 'completed', 'failed'] as const;

export const ResearchExecutionSchema = defineEntity({
  name: 'ResearchExecution',
  tableName: 'research_executions',
  properties: {
    id: id('exec').name('exec_id'),
    experiment: () => p.manyToOne(Experiment).ref().nullable().deleteRule('set null'),
    topicName: p.text().index('idx_executions_topic'),
    status: p.enum(executionStatuses).default('pending'),
    synthCount: p.integer().default(0),
    successfulCount: p.integer().default(0),
    failedCount: p.integer().default(0),
    model: p.text().default('gpt-4o-mini'),
    maxTurns: p.integer().default(6),
    startedAt: instant(),
    completedAt: instant().nullable(),
    additionalContext: p.text().nullable(),
    ...rowVersion,
  },
  indexes: [
    { name: 'idx_research_executions_status_exec_id', properties: ['status', 'id'] },
    {
      name: 'idx_research_executions_pending_started_at_exec_id',
      properties: ['startedAt', 'id'],
      where: `status = 'pending'`,
    },
    {
      name: 'idx_research_executions_started_at_exec_id',
      properties: ['startedAt', 'id'],
      columns: [
        { name: 'startedAt', sort: 'desc' },
        { name: 'id', sort: 'desc' },
      ],
    },
    // As an expression: the ORM's comparison reports mixed directions after a relation as a change, each time.
    {
      name: 'idx_research_executions_experiment_id_started_at_exec_id',
      expression: `create index "idx_research_executions_experiment_id_started_at_exec_id" on "research_executions" (experiment_id, started_at desc, exec_id desc)`,
    },
  ],
  checks: checks('research_executions', {
    ...keys('exec_id'),
    ...counts('synth_count', 'successful_count', 'failed_count', 'max_turns'),
  }),
  triggers: [incrementsRowVersion],
});

/** A round of interviews on one topic. It stays when its experiment is deleted. Deleting it deletes its transcripts. */
export class ResearchExecution extends ResearchExecutionSchema.class {}
ResearchExecutionSchema.setClass(ResearchExecution);
