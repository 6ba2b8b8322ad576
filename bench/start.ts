import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestDatabase } from '../src/testing/index.ts';
import type { Figure } from './absolutes.ts';
import { quantiles, type Quantiles } from './quantiles.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const rounds = Number(process.env['BENCH_START_ROUNDS'] ?? 21);

/** Measures a service's start with the built package, against importing the ORM alone: processes of their own, alternating. */
export async function start(database: TestDatabase): Promise<Figure[]> {
  const { host, port, user, password, database: name } = database.target.parts;
  const url = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${name}`;
  const built = JSON.stringify(join(root, 'dist/index.js'));
  const scripts = {
    orm: `await import('@mikro-orm/postgresql');`,
    ours: `await import(${built});`,
    row: `const { openDatabase } = await import(${built});
      const database = await openDatabase({ url: ${JSON.stringify(url)} });
      await database.read(({ experiments }) => experiments.pageSummaries({ limit: 1 }));`,
  };
  const times: Record<keyof typeof scripts, number[]> = { orm: [], ours: [], row: [] };
  for (let round = 0; round < rounds; round++) {
    times.orm.push(await timed(scripts.orm));
    times.ours.push(await timed(scripts.ours));
    times.row.push(await timed(scripts.row));
  }
  return [
    {
      name: 'import of the package ÷ import of the ORM alone',
      figure: against(times.ours, times.orm),
      toReach: '≤ 1.15',
    },
    {
      name: 'import and open to first row ÷ import of the ORM alone',
      figure: against(times.row, times.orm),
      toReach: '≤ 1.3',
    },
  ];
}

/** Returns the ratios of two series of times, with the times: of their medians, and of their best. */
function against(times: readonly number[], base: readonly number[]): string {
  const [ours, theirs] = [quantiles(times), quantiles(base)];
  const ratio = (of: keyof Quantiles): string =>
    `${(ours[of] / theirs[of]).toFixed(2)} (${ours[of].toFixed(0)} ms, ${theirs[of].toFixed(0)} ms)`;
  return `${ratio('median')}; best ${ratio('best')}`;
}

/** Returns the milliseconds that a script takes in a process of its own, without the start of Node. */
async function timed(script: string): Promise<number> {
  const timer = `const begun = performance.now(); ${script} console.log(performance.now() - begun); process.exit();`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', timer], { cwd: root });
  return Number(stdout);
}
