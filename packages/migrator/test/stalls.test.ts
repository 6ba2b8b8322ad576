import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { TestDatabase } from './kit/database.ts';
import { OutsideSession } from './kit/outside-session.ts';
import { accountMigrations, accountsOrm } from './accounts.ts';
import { projectOn } from './project.ts';

const heldFor = 3_000;
const lockTimeout = 500;

/** Returns the longest wait of four readers that query every 10 ms, while another session reads for long and `alter` changes the table. */
async function longestStall(alter: (db: TestDatabase) => Promise<unknown>): Promise<number> {
  await using db = await TestDatabase.create();
  const orm = accountsOrm(db.url);
  onTestFinished(() => orm.close(true));
  await new Migrator(orm).up({ to: accountMigrations[2] });
  await using longReader = await OutsideSession.holding(db, 'lock table account in access share mode');
  const readers = await Promise.all(Array.from({ length: 4 }, () => reader(db.url, 'account')));
  const altered = alter(db);

  await setTimeout(heldFor);
  await longReader.release();
  await altered;

  return Math.max(...(await Promise.all(readers.map((stop) => stop()))));
}

/** Reads a table every 10 ms. The returned function stops it and returns its longest wait. */
async function reader(url: string, table: string): Promise<() => Promise<number>> {
  const client = new Client(url);
  await client.connect();
  const stopped = new AbortController();
  let longest = 0;
  const reading = (async () => {
    while (!stopped.signal.aborted) {
      const begun = performance.now();
      await client.query(`select from ${table} limit 1`);
      longest = Math.max(longest, performance.now() - begun);
      await setTimeout(10);
    }
    await client.end();
  })();
  return async () => {
    stopped.abort();
    await reading;
    return longest;
  };
}

test('readers wait no longer than the lock timeout while a migration waits for a long reader, and it succeeds', async () => {
  const stall = await longestStall(async ({ url }) => {
    const orm = accountsOrm(url);
    const done = await new Migrator(orm, { lockTimeout }).up();
    await orm.close(true);
    expect(done.map(({ name }) => name)).toEqual(accountMigrations.slice(3));
  });

  expect(stall).toBeGreaterThan(lockTimeout / 2);
  expect(stall).toBeLessThan(lockTimeout + 100);
});

test('without a lock timeout, readers wait as long as the long reader', async () => {
  const stall = await longestStall(({ orm }) => orm.em.execute('alter table account add plain int'));

  expect(stall).toBeGreaterThan(heldFor - 500);
});

test('all statements of a transaction together wait for no longer than its lock timeout', async () => {
  await using db = await TestDatabase.create();
  const tables = ['first', 'second', 'third'];
  const orm = projectOn(db.url, {
    M1: { up: tables.map((table) => `create table ${table} (id int)`) },
    M2: { up: tables.map((table) => `alter table ${table} add extra int`) },
  });
  onTestFinished(() => orm.close(true));
  await new Migrator(orm).up({ to: 'M1' });
  await using second = await OutsideSession.holding(db, 'lock table second in access share mode');
  await using third = await OutsideSession.holding(db, 'lock table third in access share mode');
  const stopReading = await reader(db.url, 'first');
  const altered = new Migrator(orm, { lockTimeout }).up();

  await second.waiting(1, 'alter table second');
  await setTimeout(0.7 * lockTimeout);
  await second.release();
  await setTimeout(heldFor);
  await third.release();
  await altered;

  const stall = await stopReading();
  expect(stall).toBeGreaterThan(0.7 * lockTimeout);
  expect(stall).toBeLessThan(lockTimeout + 100);
});
