import pg from 'pg';
import { seeded } from '../seed.ts';
import type { Peer, Place } from './peer.ts';
import { newExperiment, newOutcomes, nodeKeys, outcomeColumns, summary, summaryPage } from './rows.ts';

/** The driver with hand-written SQL, each statement prepared once in each connection. */
export function namedPg(place: Place): Peer {
  const pool = new pg.Pool(place);
  const inTransaction = async (work: (client: pg.PoolClient) => Promise<unknown>): Promise<void> => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await work(client);
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  };
  const nodes = 'select * from scenario_nodes where exploration_id = $1 order by id';
  return {
    name: 'pg, named',
    tasks: {
      'get one by key (read model)': async () =>
        (
          await pool.query({
            name: 'summary',
            text: `${summary} where id = $1 and status = 'active'`,
            values: [seeded.experiment],
          })
        ).rows[0],
      'get one by key (managed)': async () =>
        (
          await pool.query({
            name: 'experiment',
            text: 'select * from experiments where id = $1',
            values: [seeded.experiment],
          })
        ).rows[0],
      'page of 50 with total and summary flags': () =>
        pool.query({ name: 'page', text: summaryPage, values: [50, 0] }),
      '500 outcomes of an analysis (JSON in each)': () =>
        pool.query({
          name: 'outcomes',
          text: `select ${outcomeColumns} from synth_outcomes where analysis_id = $1 order by synth_id limit 10000`,
          values: [seeded.analysis],
        }),
      'insert one in a transaction': () =>
        inTransaction((client) => {
          const { id, name, hypothesis, description, createdAt } = newExperiment();
          return client.query({
            name: 'insert',
            text: 'insert into experiments (id, name, hypothesis, description, created_at) values ($1, $2, $3, $4, $5) returning status, row_version',
            values: [id, name, hypothesis, description, createdAt],
          });
        }),
      'insert 5,000 outcomes': () =>
        inTransaction((client) => {
          const rows = newOutcomes();
          return client.query({
            name: 'insert-outcomes',
            text: `insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate, synth_attributes)
              select * from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::jsonb[])`,
            values: [
              rows.map(({ id }) => id),
              rows.map(({ analysisId }) => analysisId),
              rows.map(({ synthId }) => synthId),
              rows.map(({ didNotTryRate }) => didNotTryRate),
              rows.map(({ failedRate }) => failedRate),
              rows.map(({ successRate }) => successRate),
              rows.map(({ synthAttributes }) => JSON.stringify(synthAttributes)),
            ],
          });
        }),
      'load 500, change 200, commit (managed)': () =>
        inTransaction(async (client) => {
          const { rows } = await client.query({ name: 'nodes', text: nodes, values: [seeded.exploration] });
          const ids = rows.slice(0, 200).map(({ id }) => id);
          await client.query({
            name: 'change-nodes',
            text: `update scenario_nodes set execution_time_seconds = changed.seconds
              from unnest($1::text[], $2::float8[]) changed (id, seconds) where scenario_nodes.id = changed.id`,
            values: [ids, ids.map(() => Math.random())],
          });
        }),
      'change 200 of 500 by one set-based call': () =>
        inTransaction((client) =>
          client.query({
            name: 'dominate',
            text: 'update scenario_nodes set node_status = $2 where id = any($1) returning id',
            values: [nodeKeys, 'dominated'],
          }),
        ),
    },
    notes: ['insert 5,000: one array per column by unnest, not a list of values'],
    close: () => pool.end(),
  };
}
