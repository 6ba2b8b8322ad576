import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type pg from 'pg';
import { SynthOutcome } from '../src/entities.ts';
import { exportFormats, exportTables, type ExportFormat } from '../src/exporting/index.ts';
import type { TestDatabase } from '../src/testing/index.ts';
import type { Figure } from './absolutes.ts';
import { attributes, seeded } from './seed.ts';

const run = promisify(execFile);
const count = Number(process.env['BENCH_EXPORT_ROWS'] ?? 1_000_000);
const rounds = 3;

/** Measures `exportTables` against `psql \copy … to` of the same rows, the best of alternating runs, and the memory that it takes. */
export async function exporting(database: TestDatabase, pool: pg.Pool): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'));
  const { host, port, user, password, database: name } = database.target.parts;
  await pool.query(
    `insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate, synth_attributes)
     select 'out_export_' || n, $1, 'syn_' || n, 0.2, 0.3, 0.5, $2 from generate_series(1, ${count}) n`,
    [seeded.bulk, JSON.stringify(attributes)],
  );
  await pool.query('vacuum analyze synth_outcomes');
  const psql = () =>
    run(
      'psql',
      ['-qc', `\\copy synth_outcomes to '${directory}/psql.csv' (format csv, header)`, '-d', name],
      {
        env: { ...process.env, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password },
      },
    );
  const ours = (format: ExportFormat) =>
    exportTables(database, { format, entities: [SynthOutcome] }, ({ bytes }) =>
      pipeline(bytes, createWriteStream(join(directory, `ours.${format}`))),
    );
  try {
    const theirs: number[] = [];
    const best: Record<string, number> = {};
    const grown: Record<string, number> = {};
    for (let round = 0; round < rounds; round++) {
      theirs.push(await timed(psql));
      for (const format of exportFormats) {
        const { ms, megabytes } = await watched(() => ours(format));
        best[format] = Math.min(best[format] ?? Infinity, ms);
        grown[format] = Math.max(grown[format] ?? 0, megabytes);
      }
    }
    const psqlBest = Math.min(...theirs);
    return exportFormats.map((format) => ({
      name: `exportTables, ${count.toLocaleString('en')} outcomes as ${format}, of the speed of psql \\copy as CSV; RSS that it adds`,
      figure: `${((psqlBest / (best[format] ?? Infinity)) * 100).toFixed(0)} %; ${(grown[format] ?? 0).toFixed(0)} MB`,
      toReach: format === 'csv' ? '≥ 70 %; ≤ 200 MB' : '≤ 200 MB',
    }));
  } finally {
    await pool.query(`delete from synth_outcomes where id like 'out_export_%'`);
    await rm(directory, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Returns how long `work` takes, and by how many megabytes the process grows at most meanwhile. */
async function watched(work: () => Promise<unknown>): Promise<{ ms: number; megabytes: number }> {
  const [start, sizes] = [process.memoryUsage.rss(), [0]];
  const clock = setInterval(() => sizes.push(process.memoryUsage.rss() - start), 20);
  const ms = await timed(work);
  clearInterval(clock);
  return { ms, megabytes: Math.max(...sizes) / 2 ** 20 };
}
