import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { ScenarioNode } from '../src/entities.ts';
import type { Database } from '../src/index.ts';
import type { Workload } from './compare.ts';
import { attributes, seeded } from './seed.ts';

const outcomes = Array.from({ length: 5_000 }, (_, i) => ({
  synthId: `syn_${String(i).padStart(5, '0')}`,
  didNotTryRate: 0.2,
  failedRate: 0.3,
  successRate: 0.5,
  synthAttributes: attributes,
}));

/** Returns the measured tasks, each done by this package and by the driver with hand-written SQL, on pools of the same size. */
export function workloads(database: Database, pool: pg.Pool, cleaner: pg.Pool): Workload[] {
  return [
    {
      name: 'get one by key (read model)',
      toReach: 0.6,
      ours: () => database.read(({ experiments }) => experiments.getSummary(seeded.experiment)),
      driver: async () => {
        const { rows } = await pool.query(`${summary} where id = $1 and status = 'active'`, [
          seeded.experiment,
        ]);
        return rows[0];
      },
    },
    {
      name: 'get one by key (managed)',
      toReach: 1.1,
      ours: () => database.read(({ experiments }) => experiments.get(seeded.experiment)),
      driver: async () =>
        (await pool.query('select * from experiments where id = $1', [seeded.experiment])).rows[0],
    },
    {
      name: 'page of 50 with total and summary flags',
      toReach: 1.0,
      ours: () => database.read(({ experiments }) => experiments.pageSummaries({ limit: 50 })),
      driver: async () => {
        const { rows } = await pool.query(
          `select counted.total, page.* from (select count(*) as total from experiments where status = 'active') counted
           left join lateral (${summary} where status = 'active' order by created_at desc, id desc limit $1 offset $2) page on true`,
          [50, 0],
        );
        return rows;
      },
    },
    {
      name: '500 outcomes of an analysis (JSON in each)',
      toReach: 1.0,
      ours: () => database.read(({ synthOutcomes }) => synthOutcomes.listSummaries(seeded.analysis)),
      driver: async () => {
        const { rows } = await pool.query(
          `select id, synth_id as "synthId", did_not_try_rate as "didNotTryRate", failed_rate as "failedRate",
             success_rate as "successRate", synth_attributes as "synthAttributes"
           from synth_outcomes where analysis_id = $1 order by synth_id limit 10000`,
          [seeded.analysis],
        );
        return rows;
      },
    },
    {
      name: 'insert one in a transaction',
      toReach: 1.2,
      ours: () =>
        database.transact(
          async ({ experiments }) => experiments.add({ name: 'n', hypothesis: 'h', description: 'd' }).id,
        ),
      driver: () =>
        inTransaction(pool, async (client) => {
          await client.query(
            'insert into experiments (id, name, hypothesis, description, created_at) values ($1, $2, $3, $4, $5) returning status, row_version',
            [`exp_${randomUUID()}`, 'n', 'h', 'd', new Date()],
          );
        }),
      reset: () => cleaner.query(`delete from experiments where name = 'n'`),
    },
    {
      name: 'insert 5,000 outcomes',
      toReach: 0.55,
      ours: () => database.transact(({ synthOutcomes }) => synthOutcomes.saveAll(seeded.bulk, outcomes)),
      driver: () => inTransaction(pool, (client) => insertOutcomes(client)),
      reset: () => cleaner.query('delete from synth_outcomes where analysis_id = $1', [seeded.bulk]),
    },
    {
      name: 'load 500, change 200, commit (managed)',
      toReach: 2.1,
      ours: () =>
        database.transact(async ({ em }) => {
          const nodes = await em.find(
            ScenarioNode,
            { exploration: seeded.exploration },
            { orderBy: { id: 'asc' } },
          );
          for (const node of nodes.slice(0, 200)) node.executionTimeSeconds = Math.random();
        }),
      driver: () =>
        inTransaction(pool, async (client) => {
          const { rows } = await client.query(
            'select * from scenario_nodes where exploration_id = $1 order by id',
            [seeded.exploration],
          );
          const ids = rows.slice(0, 200).map(({ id }) => id);
          await client.query(
            `update scenario_nodes set execution_time_seconds = changed.seconds
             from unnest($1::text[], $2::float8[]) changed (id, seconds) where scenario_nodes.id = changed.id`,
            [ids, ids.map(() => Math.random())],
          );
        }),
    },
    {
      name: 'change 200 of 500 by one set-based call',
      toReach: 1.05,
      ours: () =>
        database.transact(({ scenarioNodes }) => scenarioNodes.saveStatusBatch(nodeKeys, 'dominated')),
      driver: () =>
        inTransaction(pool, (client) =>
          client.query('update scenario_nodes set node_status = $2 where id = any($1) returning id', [
            nodeKeys,
            'dominated',
          ]),
        ),
    },
  ];
}

const nodeKeys = Array.from({ length: 200 }, (_, i) => `node_bench_${String(i + 1).padStart(4, '0')}`);

/** The columns of an experiment's summary. */
export const summary = `select id, name, hypothesis, description, scorecard_data is not null as has_scorecard,
  exists (select from analysis_runs where experiment_id = experiments.id) as has_analysis,
  exists (select from interview_guide where experiment_id = experiments.id) as has_interview_guide,
  (select count(*)::int from research_executions where experiment_id = experiments.id) as interview_count,
  created_at, updated_at from experiments`;

/** Runs `work` in a transaction on a connection of the pool. */
export async function inTransaction(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<unknown>,
): Promise<void> {
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
}

// As many rows in a statement as its parameters allow.
async function insertOutcomes(client: pg.PoolClient): Promise<void> {
  const columns = 7;
  for (let start = 0; start < outcomes.length; start += 5_000) {
    const chunk = outcomes.slice(start, start + 5_000);
    const values = chunk.map(
      (_, row) =>
        `(${Array.from({ length: columns }, (__, column) => `$${row * columns + column + 1}`).join(',')})`,
    );
    const parameters = chunk.flatMap((outcome) => [
      `out_${randomUUID()}`,
      seeded.bulk,
      outcome.synthId,
      outcome.didNotTryRate,
      outcome.failedRate,
      outcome.successRate,
      outcome.synthAttributes,
    ]);
    await client.query(
      `insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate, synth_attributes) values ${values.join(',')}`,
      parameters,
    );
  }
}
