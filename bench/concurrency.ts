import type pg from 'pg';
import type { Database } from '../src/index.ts';
import type { Workload } from './compare.ts';
import { seeded } from './seed.ts';
import { inTransaction, summary } from './workloads.ts';

const countOutcomes = 'select count(*)::int as count from synth_outcomes where analysis_id = ';

/**
 * Returns tasks of many transactions of three statements at once, each done by this package and by the driver on a pool of the same size. A
 * ratio of 1.18 is a throughput of 0.85.
 */
export function concurrencyWorkloads(database: Database, pool: pg.Pool): Workload[] {
  return [1, 10, 100, 1_000].map((count) => ({
    name: `${count} transaction${count > 1 ? 's' : ''} at once, of three statements`,
    toReach: 1.18,
    ours: () =>
      atOnce(count, () =>
        database.transact(async ({ experiments, em }) => {
          await experiments.getSummary(seeded.experiment);
          await experiments.get(seeded.experiment);
          await em.execute(`${countOutcomes}?`, [seeded.analysis]);
        }),
      ),
    driver: () =>
      atOnce(count, () =>
        inTransaction(pool, async (client) => {
          await client.query(`${summary} where id = $1 and status = 'active'`, [seeded.experiment]);
          await client.query('select * from experiments where id = $1', [seeded.experiment]);
          await client.query(`${countOutcomes}$1`, [seeded.analysis]);
        }),
      ),
  }));
}

function atOnce(count: number, work: () => Promise<unknown>): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, work));
}
