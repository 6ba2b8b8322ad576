import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestServer } from '../src/testing/index.ts';
import { makeLegacyFile } from '../test/legacy-import/legacy-file.ts';
import { manyRows } from '../test/legacy-import/many-rows.ts';
import type { Figure } from './absolutes.ts';

const run = promisify(execFile);
const main = join(import.meta.dirname, '../src/cli/main.ts');
const rows = Number(process.env.BENCH_IMPORT_ROWS ?? 2_000_000);
const tables = ['experiments', 'analysis_runs', 'synth_outcomes'];

/**
 * Measures the import of a legacy file, verification included, against `psql \copy` of the same rows into the same tables, and its peak
 * memory on Linux.
 */
export async function legacyImport(server: TestServer): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-import-'));
  const imported = await server.createDatabase();
  const copied = await server.createDatabase();
  try {
    const file = makeLegacyFile(
      join(directory, 'legacy.db'),
      {},
      { sql: `begin; ${manyRows(rows)}; commit` },
    );
    const begun = performance.now();
    const memory = await peak(file, imported.url);
    const ours = performance.now() - begun;
    const copies = (direction: string, url: string) =>
      run('psql', [
        '--quiet',
        url,
        ...tables.flatMap((table) => ['-c', `\\copy ${table} ${direction} '${join(directory, table)}'`]),
      ]);
    await copies('to', imported.url);
    const copying = performance.now();
    await copies('from', copied.url);
    const theirs = performance.now() - copying;
    const count = rows.toLocaleString('en');
    return [
      {
        name: `import of ${count} rows, of the speed of psql \\copy`,
        figure: `${((theirs / ours) * 100).toFixed(0)} % (${seconds(ours)}, ${seconds(theirs)})`,
        toReach: '≥ 40 %',
      },
      { name: `import of ${count} rows, memory at its peak`, figure: `${memory} MiB`, toReach: '≤ 256 MiB' },
    ];
  } finally {
    await imported.drop();
    await copied.drop();
    await rm(directory, { recursive: true });
  }
}

/** Imports in a child process, and returns its peak memory in MiB. */
async function peak(file: string, url: string): Promise<string> {
  const child = spawn(process.execPath, [main, 'import', '--from', file], {
    env: { PATH: process.env['PATH'], DATABASE_URL: url },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let most = '?';
  const look = setInterval(() => {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(statusOf(child.pid)) ?? [];
    if (kilobytes !== undefined) most = (Number(kilobytes) / 1_024).toFixed(0);
  }, 100);
  await once(child, 'close');
  clearInterval(look);
  if (child.exitCode !== 0) throw new Error(`the import ended with ${child.exitCode}`);
  return most;
}

function statusOf(process: number | undefined): string {
  try {
    return readFileSync(`/proc/${process}/status`, 'utf8');
  } catch {
    // The process has ended, or this is not Linux.
    return '';
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
