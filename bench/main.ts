// `make bench`: measures every workload against the driver with hand-written SQL. Writes bench/results/results.{md,json}.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'pg';
import { TestServer } from '../src/testing/index.ts';
import { absolutes } from './absolutes.ts';
import { commands } from './commands.ts';
import { concurrencyWorkloads } from './concurrency.ts';
import { compare, type Comparison } from './compare.ts';
import { exporting } from './exporting.ts';
import { legacyImport } from './legacy-import.ts';
import { loading } from './loading.ts';
import type { Quantiles } from './quantiles.ts';
import { seed } from './seed.ts';
import { start } from './start.ts';
import { workloads } from './workloads.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 6);
const roundMs = Number(process.env.BENCH_ROUND_MS ?? 400);
const only = process.argv[2];

const server = await TestServer.start();
const database = await server.createDatabase();
const { host, port, user, password, database: name } = database.target.parts;
const pool = new Pool({ host, port, user, password, database: name, max: 10 });
// Cleans up on a separate connection, so that no measured connection is warmer than the other.
const cleaner = new Pool({ host, port, user, password, database: name, max: 1 });
try {
  await seed(pool);
  const comparisons: Comparison[] = [];
  const all = [...workloads(database, pool, cleaner), ...concurrencyWorkloads(database, pool)];
  for (const workload of all) {
    if (only !== undefined && !workload.name.includes(only)) continue;
    const result = await compare(workload, rounds, roundMs);
    console.log(line(result));
    comparisons.push(result);
  }
  const figures =
    only === undefined
      ? [
          ...(await start(database)),
          ...(await absolutes(database, pool)),
          ...(await commands()),
          ...(await loading(database, pool)),
          ...(await exporting(database, pool)),
          ...(await legacyImport(server)),
        ]
      : [];
  for (const { name: what, figure, toReach } of figures) console.log(`| ${what} | ${figure} | ${toReach} |`);
  const directory = join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'results.json'), `${JSON.stringify({ comparisons, figures }, null, 2)}\n`);
  const head =
    '| workload | driver ms, best (median) | ours ms | ratio | to reach | best |\n|---|---|---|---|---|---|';
  const tail = [
    '| figure | measured | to reach |',
    '|---|---|---|',
    ...figures.map((one) => `| ${one.name} | ${one.figure} | ${one.toReach} |`),
  ];
  writeFileSync(join(directory, 'results.md'), [head, ...comparisons.map(line), '', ...tail, ''].join('\n'));
} finally {
  await pool.end();
  await cleaner.end();
  await database.drop();
  await server.stop();
}

function line({ name: what, driverMs, oursMs, ratio, toReach }: Comparison): string {
  const cells = [
    what,
    both(driverMs, 3),
    both(oursMs, 3),
    both(ratio, 2),
    `≤ ${toReach}`,
    ratio.best <= toReach ? 'reached' : 'missed',
  ];
  return `| ${cells.join(' | ')} |`;
}

function both({ best, median }: Quantiles, digits: number): string {
  return `${best.toFixed(digits)} (${median.toFixed(digits)})`;
}
