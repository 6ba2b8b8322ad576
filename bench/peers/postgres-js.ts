import postgres from 'postgres';
import { seeded } from '../seed.ts';
import type { Peer, Place } from './peer.ts';
import { newExperiment, newOutcomes, nodeKeys, outcomeColumns, parts, summary, summaryPage } from './rows.ts';

/** postgres.js with hand-written SQL. It prepares every statement. */
export function postgresJs({ user, ...place }: Place): Peer {
  const sql = postgres({ ...place, username: user });
  const prepared = { prepare: true };
  return {
    name: 'postgres.js',
    tasks: {
      'get one by key (read model)': async () =>
        (
          await sql.unsafe(`${summary} where id = $1 and status = 'active'`, [seeded.experiment], prepared)
        )[0],
      'get one by key (managed)': async () =>
        (await sql`select * from experiments where id = ${seeded.experiment}`)[0],
      'page of 50 with total and summary flags': async () => sql.unsafe(summaryPage, [50, 0], prepared),
      '500 outcomes of an analysis (JSON in each)': async () =>
        sql.unsafe(
          `select ${outcomeColumns} from synth_outcomes where analysis_id = $1 order by synth_id limit 10000`,
          [seeded.analysis],
          prepared,
        ),
      'insert one in a transaction': () =>
        sql.begin(async (tx) => {
          const { id, name, hypothesis, description, createdAt } = newExperiment();
          await tx`insert into experiments (id, name, hypothesis, description, created_at)
            values (${id}, ${name}, ${hypothesis}, ${description}, ${createdAt}) returning status, row_version`;
        }),
      'insert 5,000 outcomes': () =>
        sql.begin(async (tx) => {
          const rows = newOutcomes().map((row) => ({
            id: row.id,
            analysis_id: row.analysisId,
            synth_id: row.synthId,
            did_not_try_rate: row.didNotTryRate,
            failed_rate: row.failedRate,
            success_rate: row.successRate,
            synth_attributes: sql.json(row.synthAttributes),
          }));
          for (const part of parts(rows, 5_000)) await tx`insert into synth_outcomes ${tx(part)}`;
        }),
      'load 500, change 200, commit (managed)': () =>
        sql.begin(async (tx) => {
          const rows =
            await tx`select * from scenario_nodes where exploration_id = ${seeded.exploration} order by id`;
          const ids = rows.slice(0, 200).map(({ id }) => String(id));
          await tx`update scenario_nodes set execution_time_seconds = changed.seconds
            from unnest(${ids}::text[], ${ids.map(() => Math.random())}::float8[]) changed (id, seconds)
            where scenario_nodes.id = changed.id`;
        }),
      'change 200 of 500 by one set-based call': () =>
        sql.begin(
          (tx) =>
            tx`update scenario_nodes set node_status = ${'dominated'} where id = any(${nodeKeys}) returning id`,
        ),
    },
    notes: ['load 500, change 200: by hand; it has no change detection'],
    close: () => sql.end(),
  };
}
