import { Kysely, PostgresDialect, sql, type Generated, type JSONColumnType } from 'kysely';
import pg from 'pg';
import { attributes, seeded } from '../seed.ts';
import type { Peer, Place } from './peer.ts';
import { newExperiment, newOutcomes, nodeKeys, parts } from './rows.ts';

interface Tables {
  experiments: {
    id: string;
    name: string;
    hypothesis: string;
    description: string | null;
    scorecard_data: unknown;
    created_at: Date;
    updated_at: Date | null;
    status: Generated<string>;
    row_version: Generated<number>;
  };
  analysis_runs: { id: string; experiment_id: string };
  interview_guide: { experiment_id: string };
  research_executions: { exec_id: string; experiment_id: string | null };
  synth_outcomes: {
    id: string;
    analysis_id: string;
    synth_id: string;
    did_not_try_rate: number;
    failed_rate: number;
    success_rate: number;
    synth_attributes: JSONColumnType<typeof attributes>;
  };
  scenario_nodes: {
    id: string;
    exploration_id: string;
    execution_time_seconds: number | null;
    node_status: string;
  };
}

export function kysely(place: Place): Peer {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new pg.Pool(place) }) });
  const summaries = () =>
    db
      .selectFrom('experiments')
      .where('status', '=', 'active')
      .select((eb) => [
        'id',
        'name',
        'hypothesis',
        'description',
        eb('scorecard_data', 'is not', null).as('has_scorecard'),
        eb
          .exists(
            eb
              .selectFrom('analysis_runs')
              .select('analysis_runs.id')
              .whereRef('experiment_id', '=', 'experiments.id'),
          )
          .as('has_analysis'),
        eb
          .exists(
            eb
              .selectFrom('interview_guide')
              .select('experiment_id')
              .whereRef('experiment_id', '=', 'experiments.id'),
          )
          .as('has_interview_guide'),
        eb
          .selectFrom('research_executions')
          .select(sql<number>`count(*)::int`.as('n'))
          .whereRef('experiment_id', '=', 'experiments.id')
          .as('interview_count'),
        'created_at',
        'updated_at',
      ]);
  return {
    name: 'Kysely',
    tasks: {
      'get one by key (read model)': () => summaries().where('id', '=', seeded.experiment).executeTakeFirst(),
      'get one by key (managed)': () =>
        db.selectFrom('experiments').selectAll().where('id', '=', seeded.experiment).executeTakeFirst(),
      'page of 50 with total and summary flags': () =>
        db
          .selectFrom((eb) =>
            eb
              .selectFrom('experiments')
              .select(sql<string>`count(*)`.as('total'))
              .where('status', '=', 'active')
              .as('counted'),
          )
          .leftJoinLateral(
            () =>
              summaries().orderBy('created_at', 'desc').orderBy('id', 'desc').limit(50).offset(0).as('page'),
            (join) => join.onTrue(),
          )
          .selectAll()
          .execute(),
      '500 outcomes of an analysis (JSON in each)': () =>
        db
          .selectFrom('synth_outcomes')
          .select([
            'id',
            'synth_id as synthId',
            'did_not_try_rate as didNotTryRate',
            'failed_rate as failedRate',
            'success_rate as successRate',
            'synth_attributes as synthAttributes',
          ])
          .where('analysis_id', '=', seeded.analysis)
          .orderBy('synth_id')
          .limit(10_000)
          .execute(),
      'insert one in a transaction': () =>
        db.transaction().execute((tx) => {
          const { createdAt, ...row } = newExperiment();
          return tx
            .insertInto('experiments')
            .values({ ...row, created_at: createdAt })
            .returning(['status', 'row_version'])
            .executeTakeFirstOrThrow();
        }),
      'insert 5,000 outcomes': () =>
        db.transaction().execute(async (tx) => {
          const rows = newOutcomes().map((row) => ({
            id: row.id,
            analysis_id: row.analysisId,
            synth_id: row.synthId,
            did_not_try_rate: row.didNotTryRate,
            failed_rate: row.failedRate,
            success_rate: row.successRate,
            synth_attributes: JSON.stringify(row.synthAttributes),
          }));
          for (const part of parts(rows, 5_000)) await tx.insertInto('synth_outcomes').values(part).execute();
        }),
      'load 500, change 200, commit (managed)': () =>
        db.transaction().execute(async (tx) => {
          const rows = await tx
            .selectFrom('scenario_nodes')
            .selectAll()
            .where('exploration_id', '=', seeded.exploration)
            .orderBy('id')
            .execute();
          const ids = rows.slice(0, 200).map(({ id }) => id);
          const changed = sql<{
            id: string;
            seconds: number;
          }>`unnest(${ids}::text[], ${ids.map(() => Math.random())}::float8[])`;
          await tx
            .updateTable('scenario_nodes')
            .from(changed.as<'changed'>(sql`changed (id, seconds)`))
            .set((eb) => ({ execution_time_seconds: eb.ref('changed.seconds') }))
            .whereRef('scenario_nodes.id', '=', 'changed.id')
            .execute();
        }),
      'change 200 of 500 by one set-based call': () =>
        db
          .transaction()
          .execute((tx) =>
            tx
              .updateTable('scenario_nodes')
              .set({ node_status: 'dominated' })
              .where('id', 'in', nodeKeys)
              .returning('id')
              .execute(),
          ),
    },
    notes: ['load 500, change 200: by hand; it has no change detection'],
    close: () => db.destroy(),
  };
}
