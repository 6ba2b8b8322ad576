import { createRequire } from 'node:module';
import { Client, type Submittable } from 'pg';
import type { Database } from '../../src/index.ts';

/** What it takes to read the outcomes of one run to their end: ours and a cursor of the driver, alternating; the best of each. */
export interface Streaming {
  readonly rows: number;
  readonly oursMs: number;
  readonly cursorMs: number;
  /** MiB that the process has at most while it reads, above what it had before. */
  readonly memory: number;
}

interface Cursor extends Submittable {
  read(count: number): Promise<readonly { readonly successRate: number }[]>;
  close(): Promise<void>;
}

// The ORM's: it has no types.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const DriverCursor = createRequire(import.meta.url)('pg-cursor') as new (
  text: string,
  values: unknown[],
) => Cursor;

const analysis = 'ana_streamed';
const rows = 500_000;
/** As many as a stream reads at once. */
const chunk = 500;

/** Inserts 500,000 outcomes, and streams them. */
export async function streaming(database: Database, url: string, rounds = 4): Promise<Streaming> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query('set session_replication_role = replica');
    await client.query(
      `insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate, synth_attributes)
       select 'str_' || i, $1, 'syn_' || lpad(i::text, 7, '0'), 0.2, 0.3, 0.5, synth_attributes
       from generate_series(1, $2::int) i, (select synth_attributes from synth_outcomes limit 1) one`,
      [analysis, rows],
    );
    await client.query('vacuum analyze synth_outcomes');
    const ours = (): Promise<number> =>
      database.read(async ({ synthOutcomes }) => {
        let read = 0;
        for await (const { successRate } of synthOutcomes.streamSummaries(analysis))
          read += successRate > 0 ? 1 : 0;
        return read;
      });
    const cursor = (): Promise<number> => byCursor(client);
    // Before the rounds, which would leave a larger heap.
    const memory = await memoryOf(ours);
    const best = { ours: Number.POSITIVE_INFINITY, cursor: Number.POSITIVE_INFINITY };
    for (let round = 0; round < rounds; round++) {
      best.cursor = Math.min(best.cursor, await timed(cursor));
      best.ours = Math.min(best.ours, await timed(ours));
    }
    return { rows, oursMs: best.ours, cursorMs: best.cursor, memory };
  } finally {
    await client.end();
  }
}

async function timed(read: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const found = await read();
  if (found !== rows) throw new Error(`${found} of ${rows} rows were read`);
  return performance.now() - start;
}

/** Reads by a cursor of the driver, in fetches as large as those of a stream. */
async function byCursor(client: Client): Promise<number> {
  const cursor = new DriverCursor(
    `select id, synth_id as "synthId", did_not_try_rate as "didNotTryRate", failed_rate as "failedRate",
       success_rate as "successRate", synth_attributes as "synthAttributes"
     from synth_outcomes where analysis_id = $1 order by synth_id`,
    [analysis],
  );
  client.query(cursor);
  let read = 0;
  for (let found = await cursor.read(chunk); found.length > 0; found = await cursor.read(chunk)) {
    for (const { successRate } of found) read += successRate > 0 ? 1 : 0;
  }
  await cursor.close();
  return read;
}

async function memoryOf(read: () => Promise<number>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const watching = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 10);
  await read();
  clearInterval(watching);
  return (most - before) / 2 ** 20;
}
