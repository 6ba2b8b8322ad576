import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDatabase } from './kit/database.ts';
import { PgBouncer, whyNoPooler } from './kit/pgbouncer.ts';
import { accountMigrations } from './accounts.ts';
import { completedRuns, readFinalState, finalStates, type FinalState } from './final-state.ts';
import { RunnerProcess } from './runner-process.ts';

const count = 16;
// More where it is asked for: a race is a matter of chance.
const rounds = Number(process.env['MIGRATOR_ROUNDS'] ?? 2);
const timeout = 60_000 + rounds * 20_000;

let alone: FinalState;
let runners: RunnerProcess[];
beforeAll(async () => {
  await using db = await TestDatabase.create();
  alone = (await finalStates(db.url)).up;
  runners = await Promise.all(Array.from({ length: count }, () => RunnerProcess.start()));
});
afterAll(() => {
  for (const runner of runners) runner.kill();
});

/** Has all runners migrate an empty database at one instant, reached as `through` says, and tells what is not as it should be. */
async function race(through: (db: TestDatabase) => Promise<PgBouncer | null>): Promise<void> {
  await using db = await TestDatabase.create();
  await using pooler = await through(db);
  const url = pooler?.url() ?? db.url;

  const answers = await Promise.all(runners.map((runner) => runner.carryOut({ url })));

  expect(answers.filter((answer) => answer?.code !== undefined)).toEqual([]);
  expect(answers.flatMap((answer) => answer?.done ?? [])).toEqual(accountMigrations);
  expect(await readFinalState(db.orm)).toEqual(alone);
  expect(await completedRuns(db.orm.em)).toEqual(accountMigrations.map((name) => `up ${name}`));
}

test(`${count} concurrent runners, ${rounds} times, apply each migration once`, { timeout }, async () => {
  expect.hasAssertions();
  for (let round = 0; round < rounds; round++) await race(async () => null);
});

test(
  `${count} concurrent runners, ${rounds} times, do so behind a pooler in transaction mode with two connections`,
  { timeout },
  async ({ skip }) => {
    if (whyNoPooler !== null) skip(whyNoPooler);
    expect.hasAssertions();
    for (let round = 0; round < rounds; round++) {
      await race(({ target }) => PgBouncer.start(target, { poolMode: 'transaction', serverConnections: 2 }));
    }
  },
);

test("concurrent runners of the ORM's own migrator fail, hang, or apply one twice", { timeout }, async () => {
  await using db = await TestDatabase.create();

  const answers = await Promise.all(
    runners.map((runner) =>
      Promise.race([runner.carryOut({ url: db.url, by: 'orm' }), setTimeout(5_000, 'hangs' as const)]),
    ),
  );

  const applied = answers.flatMap((answer) => (answer === 'hangs' ? [] : (answer?.done ?? [])));
  const failed = answers.filter((answer) => answer === 'hangs' || answer?.code !== undefined);
  expect(failed.length > 0 || applied.length > new Set(applied).size).toBe(true);
});
