// `make bench-growth`: times every list, page and statistic among ten times as many rows. Writes bench/results/growth.{md,json}. With the
// beginning of a method's name, it times those alone; with `--explain`, it prints the plans of those that are slower than they may be.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { cases } from './cases.ts';
import { explainSlow } from './explain.ts';
import { measure, type Growth } from './measure.ts';
import { seed } from './seed.ts';
import { streaming, type Streaming } from './streaming.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 15);
const given = process.argv.slice(2);
const explains = given.includes('--explain');
const only = given.find((argument) => !argument.startsWith('--')) ?? '';
/** What ten times the rows may cost, × the time before. */
const mayGrowTo = 1.3;
const head = '| method | of | ms at 1 × | ms at 10 × | ratio | |\n|---|---|---|---|---|---|';

const server = await TestServer.start();
const sizes = [1, 10] as const;
const databases: TestDatabase[] = [];
try {
  for (const size of sizes) {
    const database = await server.createDatabase();
    databases.push(database);
    const began = performance.now();
    const client = new Client(database.url);
    await client.connect();
    try {
      await seed(client, size);
    } finally {
      await client.end();
    }
    console.error(`seeded ${size} × in ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  }
  const [before, after] = databases;
  if (!before || !after) throw new Error('two sizes are compared');
  const measured: Growth[] = [];
  console.log(head);
  for (const one of cases().filter(({ method }) => method.startsWith(only))) {
    const growth = await measure(one, [before, after], sizes, rounds);
    measured.push(growth);
    console.log(line(growth));
    if (explains && growth.ratio > mayGrowTo) console.log(await explainSlow(after, one, sizes[1]));
  }
  const streamed = only === '' ? await streaming(after, after.url) : undefined;
  if (streamed) console.log(streamLine(streamed));
  const directory = join(import.meta.dirname, '..', 'results');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'growth.json'), `${JSON.stringify({ measured, streamed }, null, 2)}\n`);
  writeFileSync(
    join(directory, 'growth.md'),
    `${[head, ...measured.map(line), '', ...(streamed ? [streamLine(streamed)] : [])].join('\n')}\n`,
  );
} finally {
  for (const database of databases) await database.drop();
  await server.stop();
}

function line({ method, of, times, ratio }: Growth): string {
  const cells = [method, of, ...times.map((time) => time.toFixed(2)), ratio.toFixed(2)];
  return `| ${cells.join(' | ')} | ${ratio <= mayGrowTo ? 'flat' : 'grows'} |`;
}

function streamLine({ rows, oursMs, cursorMs, memory }: Streaming): string {
  const times = `${oursMs.toFixed(0)} ms, a cursor of the driver ${cursorMs.toFixed(0)} ms`;
  return `${rows.toLocaleString('en')} outcomes streamed: ${times}, ratio ${(oursMs / cursorMs).toFixed(2)}, + ${memory.toFixed(0)} MiB`;
}
