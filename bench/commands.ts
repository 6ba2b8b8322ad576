import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgres } from '../src/embedded/index.ts';
import type { Figure } from './absolutes.ts';

const run = promisify(execFile);
const main = join(import.meta.dirname, '../src/cli/main.ts');
const times = 5;

/** Measures commands and the embedded server: medians of five runs, wall time. A command includes the start of Node. */
export async function commands(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'));
  await writeFile(join(directory, 'package.json'), '{}');
  const server = { directory: join(directory, '.data', 'postgres') };
  // As the Makefile runs it.
  const env = { ...process.env, DATABASE_URL: 'embedded', NODE_COMPILE_CACHE: join(directory, 'compiled') };
  const synthdb = (...given: string[]) => run(process.execPath, [main, ...given], { cwd: directory, env });
  const anew = () => EmbeddedPostgres.remove(server);
  const stop = async () => (await EmbeddedPostgres.find(server))?.stop();
  const allDown = async () => {
    await synthdb('migrate', 'down', '--all', '--confirm', 'synthlab');
  };
  try {
    return [
      {
        name: 'embedded PostgreSQL, cold start to ready',
        figure: await median(() => EmbeddedPostgres.start(server), anew),
        toReach: '≤ 1,500 ms',
      },
      {
        name: 'embedded PostgreSQL, warm start',
        figure: await median(() => EmbeddedPostgres.start(server), stop),
        toReach: '≤ 200 ms',
      },
      {
        name: 'embedded PostgreSQL from nothing to migrated',
        figure: await median(() => synthdb('migrate', 'up'), anew),
        toReach: '≤ 3,000 ms',
      },
      {
        name: 'migrate up, nothing pending',
        figure: await median(() => synthdb('migrate', 'up'), nothing),
        toReach: '≤ 500 ms',
      },
      {
        name: 'migrate up on an empty database',
        figure: await median(() => synthdb('migrate', 'up'), allDown),
        toReach: '≤ 1,000 ms',
      },
    ];
  } finally {
    await EmbeddedPostgres.remove(server);
    await rm(directory, { recursive: true, force: true });
  }
}

async function nothing(): Promise<void> {}

async function median(work: () => Promise<unknown>, before: () => Promise<unknown>): Promise<string> {
  const measured: number[] = [];
  for (let i = 0; i < times; i++) {
    await before();
    const start = performance.now();
    await work();
    measured.push(performance.now() - start);
  }
  return `${(measured.toSorted((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN).toFixed(0)} ms`;
}
