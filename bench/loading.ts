import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type pg from 'pg';
import { SynthOutcome } from '../src/entities.ts';
import { loadRows, type LoadedRow } from '../src/loading/index.ts';
import type { TestDatabase } from '../src/testing/index.ts';
import type { Figure } from './absolutes.ts';
import { attributes, seeded } from './seed.ts';

const run = promisify(execFile);
const count = Number(process.env['BENCH_LOAD_ROWS'] ?? 200_000);
const rounds = 5;
const columns = 'id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate, synth_attributes';

/** Measures `loadRows` in the mode `append` against `psql \copy` of the same rows: the best of five alternating runs. */
export async function loading(database: TestDatabase, pool: pg.Pool): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'));
  const file = join(directory, 'outcomes.txt');
  const clear = async () => {
    await pool.query('delete from synth_outcomes where analysis_id = $1', [seeded.bulk]);
    await pool.query('vacuum synth_outcomes');
  };
  const { host, port, user, password, database: name } = database.target.parts;
  const psql = () =>
    run('psql', ['-qc', `\\copy synth_outcomes (${columns}) from '${file}'`, '-d', name], {
      env: { ...process.env, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password },
    });
  const ours = (some: number) =>
    loadRows(database, { entity: SynthOutcome, mode: 'append', rows: outcomes(some) });
  try {
    await pipeline(Readable.from(lines(count)), createWriteStream(file));
    const [theirs, mine, fewer]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      theirs.push(await timed(psql, clear));
      mine.push(await timed(() => ours(count), clear));
      fewer.push(await timed(() => ours(count / 10), clear));
    }
    const [psqlBest, best, fewerBest] = [Math.min(...theirs), Math.min(...mine), Math.min(...fewer)];
    const memory = await growth(() => ours(count * 5), clear);
    return [
      {
        name: `loadRows, append, ${count.toLocaleString('en')} outcomes, of the speed of psql \\copy`,
        figure: `${((psqlBest / best) * 100).toFixed(0)} % (${perSecond(count, best)} of ${perSecond(count, psqlBest)} rows per second)`,
        toReach: '≥ 80 %',
      },
      {
        name: 'loadRows, append, time of a row among ten times as many',
        figure: (best / (fewerBest * 10)).toFixed(2),
        toReach: '≈ 1',
      },
      {
        name: `loadRows, append, RSS that ${(count * 5).toLocaleString('en')} rows add`,
        figure: `${memory.toFixed(0)} MB`,
        toReach: 'the same for any number',
      },
    ];
  } finally {
    await clear();
    await rm(directory, { recursive: true, force: true });
  }
}

function* outcomes(some: number): Generator<LoadedRow<SynthOutcome>> {
  for (let n = 0; n < some; n++) {
    yield {
      id: `out_load_${n}`,
      analysis: seeded.bulk,
      synthId: `syn_${n}`,
      didNotTryRate: 0.2,
      failedRate: 0.3,
      successRate: 0.5,
      synthAttributes: attributes,
    };
  }
}

function* lines(some: number): Generator<string> {
  const document = JSON.stringify(attributes);
  for (let n = 0; n < some; n++)
    yield `out_load_${n}\t${seeded.bulk}\tsyn_${n}\t0.2\t0.3\t0.5\t${document}\n`;
}

async function timed(work: () => Promise<unknown>, before: () => Promise<unknown>): Promise<number> {
  await before();
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Returns by how many megabytes the process grows at most during `work`. */
async function growth(work: () => Promise<unknown>, before: () => Promise<unknown>): Promise<number> {
  await before();
  const [start, sizes] = [process.memoryUsage.rss(), [0]];
  const clock = setInterval(() => sizes.push(process.memoryUsage.rss() - start), 50);
  await work();
  clearInterval(clock);
  return Math.max(...sizes) / 2 ** 20;
}

function perSecond(rows: number, ms: number): string {
  return Math.round(rows / (ms / 1_000)).toLocaleString('en');
}
