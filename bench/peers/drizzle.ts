import { and, asc, count, desc, eq, exists, inArray, isNotNull, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { doublePrecision, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { seeded } from '../seed.ts';
import type { Peer, Place } from './peer.ts';
import { newExperiment, newOutcomes, nodeKeys, parts } from './rows.ts';

const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

const experiments = pgTable('experiments', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  hypothesis: text('hypothesis').notNull(),
  description: text('description'),
  scorecardData: jsonb('scorecard_data'),
  createdAt: time('created_at').notNull(),
  updatedAt: time('updated_at'),
  status: text('status').notNull().default('active'),
  rowVersion: integer('row_version').notNull().default(1),
});
const analysisRuns = pgTable('analysis_runs', {
  id: text('id').primaryKey(),
  experimentId: text('experiment_id').notNull(),
});
const interviewGuide = pgTable('interview_guide', { experimentId: text('experiment_id').primaryKey() });
const researchExecutions = pgTable('research_executions', {
  execId: text('exec_id').primaryKey(),
  experimentId: text('experiment_id'),
});
const synthOutcomes = pgTable('synth_outcomes', {
  id: text('id').primaryKey(),
  analysisId: text('analysis_id').notNull(),
  synthId: text('synth_id').notNull(),
  didNotTryRate: doublePrecision('did_not_try_rate').notNull(),
  failedRate: doublePrecision('failed_rate').notNull(),
  successRate: doublePrecision('success_rate').notNull(),
  synthAttributes: jsonb('synth_attributes'),
});
const scenarioNodes = pgTable('scenario_nodes', {
  id: text('id').primaryKey(),
  explorationId: text('exploration_id').notNull(),
  parentId: text('parent_id'),
  depth: integer('depth').notNull(),
  actionApplied: text('action_applied'),
  actionCategory: text('action_category'),
  rationale: text('rationale'),
  shortAction: text('short_action'),
  scorecardParams: jsonb('scorecard_params').notNull(),
  simulationResults: jsonb('simulation_results'),
  executionTimeSeconds: doublePrecision('execution_time_seconds'),
  nodeStatus: text('node_status').notNull(),
  createdAt: time('created_at').notNull(),
  rowVersion: integer('row_version').notNull(),
});

export function drizzlePeer(place: Place): Peer {
  const pool = new pg.Pool(place);
  const db = drizzle(pool);
  const summary = {
    id: experiments.id,
    name: experiments.name,
    hypothesis: experiments.hypothesis,
    description: experiments.description,
    hasScorecard: isNotNull(experiments.scorecardData),
    hasAnalysis: exists(
      db
        .select({ one: sql`1` })
        .from(analysisRuns)
        .where(eq(analysisRuns.experimentId, experiments.id)),
    ),
    hasInterviewGuide: exists(
      db
        .select({ one: sql`1` })
        .from(interviewGuide)
        .where(eq(interviewGuide.experimentId, experiments.id)),
    ),
    interviewCount: db.$count(researchExecutions, eq(researchExecutions.experimentId, experiments.id)),
    createdAt: experiments.createdAt,
    updatedAt: experiments.updatedAt,
  };
  const isActive = eq(experiments.status, 'active');
  return {
    name: 'Drizzle',
    tasks: {
      'get one by key (read model)': () =>
        db
          .select(summary)
          .from(experiments)
          .where(and(eq(experiments.id, seeded.experiment), isActive)),
      'get one by key (managed)': () =>
        db.select().from(experiments).where(eq(experiments.id, seeded.experiment)),
      'page of 50 with total and summary flags': async () => {
        const [total] = await db.select({ total: count() }).from(experiments).where(isActive);
        const rows = await db
          .select(summary)
          .from(experiments)
          .where(isActive)
          .orderBy(desc(experiments.createdAt), desc(experiments.id))
          .limit(50)
          .offset(0);
        return { total, rows };
      },
      '500 outcomes of an analysis (JSON in each)': () => {
        const columns = {
          id: synthOutcomes.id,
          synthId: synthOutcomes.synthId,
          didNotTryRate: synthOutcomes.didNotTryRate,
          failedRate: synthOutcomes.failedRate,
          successRate: synthOutcomes.successRate,
          synthAttributes: synthOutcomes.synthAttributes,
        };
        return db
          .select(columns)
          .from(synthOutcomes)
          .where(eq(synthOutcomes.analysisId, seeded.analysis))
          .orderBy(asc(synthOutcomes.synthId))
          .limit(10_000);
      },
      'insert one in a transaction': () =>
        db.transaction((tx) =>
          tx
            .insert(experiments)
            .values(newExperiment())
            .returning({ status: experiments.status, rowVersion: experiments.rowVersion }),
        ),
      'insert 5,000 outcomes': () =>
        db.transaction(async (tx) => {
          for (const part of parts(newOutcomes(), 5_000)) await tx.insert(synthOutcomes).values(part);
        }),
      'load 500, change 200, commit (managed)': () =>
        db.transaction(async (tx) => {
          const rows = await tx
            .select()
            .from(scenarioNodes)
            .where(eq(scenarioNodes.explorationId, seeded.exploration))
            .orderBy(asc(scenarioNodes.id));
          for (const { id } of rows.slice(0, 200))
            await tx
              .update(scenarioNodes)
              .set({ executionTimeSeconds: Math.random() })
              .where(eq(scenarioNodes.id, id));
        }),
      'change 200 of 500 by one set-based call': () =>
        db.transaction((tx) =>
          tx
            .update(scenarioNodes)
            .set({ nodeStatus: 'dominated' })
            .where(inArray(scenarioNodes.id, nodeKeys))
            .returning({ id: scenarioNodes.id }),
        ),
    },
    notes: [
      'page of 50: two statements',
      'load 500, change 200: one update for each row; it has no change detection and no update from values',
    ],
    close: () => pool.end(),
  };
}
