import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestDatabase } from './kit/database.ts';
import { PgBouncer, whyNoPooler } from './kit/pgbouncer.ts';
import { WireProxy } from './kit/proxy/wire-proxy.ts';
import { OutsideSession } from './kit/outside-session.ts';
import { accountMigrations } from './accounts.ts';
import { bookkeeping, completedRuns, readFinalState, finalStates, type FinalState } from './final-state.ts';
import { RunnerProcess } from './runner-process.ts';

const options = { lease: 1_000 };
const lost = { done: [], code: 'lock_lost' };

let alone: FinalState;
let successor: RunnerProcess;
beforeAll(async () => {
  await using db = await TestDatabase.create();
  alone = (await finalStates(db.url)).up;
  successor = await RunnerProcess.start();
});
afterAll(() => successor.kill());

/** Starts a runner behind a separate proxy, on an empty database. */
async function scene(pooled: boolean) {
  await using stack = new AsyncDisposableStack();
  const db = stack.use(await TestDatabase.create());
  const pooler = pooled
    ? stack.use(await PgBouncer.start(db.target, { poolMode: 'transaction', serverConnections: 4 }))
    : null;
  const proxy = stack.use(await WireProxy.start(pooler?.target ?? db.target));
  const runner = stack.use(await RunnerProcess.start());
  const all = stack.move();
  return { db, proxy, runner, url: pooler?.url() ?? db.url, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** The successor has done what was left; woken, the first one changes nothing and sends nothing that could. */
async function expectHarmless(
  { db, proxy, runner }: { db: TestDatabase; proxy: WireProxy; runner: RunnerProcess },
  answer: Promise<unknown>,
): Promise<void> {
  const { em } = db.orm;
  expect(await readFinalState(db.orm)).toEqual(alone);
  expect(await completedRuns(em)).toEqual(accountMigrations.map((name) => `up ${name}`));
  const before = await bookkeeping(em);
  proxy.reset();

  runner.wake();

  expect(await answer).toMatchObject(lost);
  expect(await bookkeeping(em)).toEqual(before);
  expect(await readFinalState(db.orm)).toEqual(alone);
  // What it may ask: whether it still holds the lease, and what became of its work.
  const harmless =
    /^(?:select|set local|start transaction|rollback|update "migrator"."lease" set [^;]* where token = 1\b)/;
  expect(proxy.statements.filter((sql) => !harmless.test(sql))).toEqual([]);
}

describe.each([
  ['directly', false],
  ['behind a pooler in transaction mode', true],
])('a runner that is suspended for longer than its lease, %s,', (_, pooled) => {
  beforeEach(({ skip }) => {
    if (pooled && whyNoPooler !== null) skip(whyNoPooler);
  });

  test.each([
    ['in a transaction', [/update account .* where id > 100/]],
    ['while a statement outside one is sent', [/create unique index/]],
    ['before it is recorded as done', [/create unique index/, /start transaction/]],
    // Its lease is good when that is asked, and over when the answer is read.
    [
      'between the check of its lease and a statement outside a transaction',
      [/alter table account add/, /parse_ident/, /set holder = holder/],
    ],
    ['before a commit', [/update account .* where id > 100/, /commit/]],
  ])('%s, writes nothing after another runner took over', async (_point, sequence) => {
    await using stage = await scene(pooled);
    const { proxy, runner, url } = stage;
    const stopped = Promise.withResolvers<void>();
    const stopAt = ([next, ...rest]: RegExp[]): void => {
      if (!next) {
        runner.stop();
        stopped.resolve();
      } else proxy.failAt(next, { after: async () => stopAt(rest) });
    };
    stopAt(sequence);
    const answer = runner.carryOut({ url: proxy.url(), options });
    await stopped.promise;

    expect(await successor.carryOut({ url, options })).not.toHaveProperty('code');

    await expectHarmless(stage, answer);
  });

  test('while its index waits for a lock, has that statement terminated', async () => {
    await using stage = await scene(pooled);
    const { db, proxy, runner, url } = stage;
    const held = Promise.withResolvers<OutsideSession>();
    proxy.failAt(/create unique index/, {
      after: async () =>
        held.resolve(await OutsideSession.holding(db, 'lock table account in row exclusive mode')),
    });
    const answer = runner.carryOut({ url: proxy.url(), options });
    await using outside = await held.promise;
    const [building] = await outside.waiting(1, 'create unique index');
    runner.stop();

    const succeeded = successor.carryOut({ url, options });
    await expect
      .poll(() => outside.waiting(1, 'index concurrently'), { timeout: 10_000 })
      .not.toEqual([building]);
    await outside.release();

    expect(await succeeded).not.toHaveProperty('code');
    await expectHarmless(stage, answer);
  });
});
