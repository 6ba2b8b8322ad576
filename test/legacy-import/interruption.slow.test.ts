import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LegacyWorkshop } from './legacy-workshop.ts';
import { manyRows } from './many-rows.ts';

const rows = Number(process.env['LEGACY_ROWS'] ?? 20_000);
const kills = Number(process.env['LEGACY_KILLS'] ?? 2);

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
afterAll(() => workshop.close());

const main = join(import.meta.dirname, '../../src/cli/main.ts');
// Where compiled modules are kept changes no result, only the time.
const { PATH, NODE_COMPILE_CACHE } = process.env;

/** Runs the command; `killedAfter` so many milliseconds, if it has not ended by then. */
async function importing(
  file: string,
  killedAfter?: number,
): Promise<{ code: number | null; output: string; firstLine: number }> {
  const child = spawn(process.execPath, [main, 'import', '--from', file], {
    env: { PATH, NODE_COMPILE_CACHE, DATABASE_URL: workshop.database.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const begun = performance.now();
  let [output, firstLine] = ['', Infinity];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += String(text);
      firstLine = Math.min(firstLine, performance.now() - begun);
    });
  }
  const ended = once(child, 'close');
  if (killedAfter !== undefined)
    void setTimeout(killedAfter, undefined, { ref: false }).then(() => child.kill('SIGKILL'));
  await ended;
  return { code: child.exitCode, output, firstLine };
}

/** Count and contents of each table that the file fills, by PostgreSQL's own hashes. */
async function contents(): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const table of ['experiments', 'analysis_runs', 'synth_outcomes']) {
    found.push(
      ...(await workshop.rows(
        `select count(*)::int, count(distinct id)::int as keys, sum(hashtextextended(t::text, 0)) from ${table} t`,
      )),
    );
  }
  return found;
}

test(
  `killed at any moment and run again, it ends as if nothing had been (${kills} times, ${rows} rows)`,
  { timeout: 60_000 + kills * 120_000 },
  async () => {
    const file = workshop.file({}, { sql: `begin; ${manyRows(rows)}; commit` });
    const begun = performance.now();
    const whole = await importing(file);
    const duration = performance.now() - begun;
    const expected = await contents();
    expect(whole).toMatchObject({ code: 0 });
    const left: number[] = [];

    for (let round = 0; round < kills; round++) {
      await workshop.empty();
      // Little can go wrong before it says where it works.
      await importing(file, whole.firstLine + Math.random() * (duration - whole.firstLine));
      const [half]: { count?: number }[] = await workshop.database.orm.em.execute(
        'select count(*)::int as count from synth_outcomes',
      );
      left.push(half?.count ?? 0);
      const again = await importing(file);

      expect(again.output).toContain('Every row is accounted for.');
      expect(again.code).toBe(0);
      expect(await contents()).toEqual(expected);
    }
    console.log(`rows of outcomes at each kill: ${left.join(', ')}`);
  },
);
