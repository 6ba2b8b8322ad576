import type { EntityManager } from '@mikro-orm/postgresql';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { TestDatabase } from './kit/database.ts';
import { startServer } from './kit/server.ts';
import { accountMigrations, accountsOrm } from './accounts.ts';
import { completedRuns, readFinalState, finalStates } from './final-state.ts';

// A separate server: it restarts, because the killed process may have corrupted shared memory.
let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server.stop());

test.each([
  ['in a transaction', 1, 'update account', 'exclusive'],
  ['while it builds an index', 0, 'create index concurrently', 'row exclusive'],
])('the next run converges when the server process is killed %s', async (_, applied, statement, mode) => {
  const { url } = await TestDatabase.create({ url: server.url, prefix: 'crashed' });
  const orm = accountsOrm(url);
  onTestFinished(() => orm.close(true));
  const undisturbed = (await finalStates(url)).up;
  const before = (await completedRuns(orm.em)).length;
  await new Migrator(orm).up({ to: accountMigrations[applied] });
  const outside = new Client(url);
  outside.on('error', () => {});
  await outside.connect();
  await outside.query('begin');
  await outside.query(`lock table account in ${mode} mode`);

  const running = Promise.allSettled([new Migrator(orm, { lease: 1_000, lockTimeout: 20_000 }).up()]);
  process.kill(await waiting(orm.em, statement), 'SIGKILL');
  await running;

  await expect.poll(() => new Migrator(orm).status(), { timeout: 20_000 }).toHaveLength(4);
  await new Migrator(orm).up();

  expect(await readFinalState(orm)).toMatchObject({ catalog: undisturbed.catalog, rows: undisturbed.rows });
  expect((await completedRuns(orm.em)).slice(before)).toEqual(accountMigrations.map((name) => `up ${name}`));
});

/** The process whose statement waits for a lock. */
async function waiting(em: EntityManager, statement: string): Promise<number> {
  for (;;) {
    const [found] = await em.execute<{ pid: number }[]>(
      `select pid from pg_stat_activity where wait_event_type = 'Lock' and position(? in query) > 0`,
      [statement],
    );
    if (found) return found.pid;
  }
}
