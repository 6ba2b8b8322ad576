import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { concurrently } from '../concurrency/concurrently.ts';
import { PgBouncer, whyNoPooler, type PoolerOptions } from '../../packages/migrator/test/kit/pgbouncer.ts';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());
beforeEach(({ skip }) => {
  if (whyNoPooler !== null) skip(whyNoPooler);
});

async function connected(pooler: PgBouncer): Promise<Client> {
  const client = new Client(pooler.url());
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end().catch(() => {}));
  return client;
}

/** The server processes that served each of `count` clients, one transaction after the other. */
async function processes(options: PoolerOptions, count: number): Promise<number> {
  await using pooler = await PgBouncer.start(db.target, options);
  const clients = await concurrently(count, () => connected(pooler));
  const pids = new Set<unknown>();
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    pids.add(rows[0]?.pid);
  }
  return pids.size;
}

test('in transaction mode, clients share server connections', async () => {
  expect(await processes({ poolMode: 'transaction', serverConnections: 2 }, 20)).toBeLessThanOrEqual(2);
});

test('in session mode, each client keeps its server connection', async () => {
  expect(await processes({ poolMode: 'session' }, 5)).toBe(5);
});

test('a restart closes its clients, and it accepts new ones at the same address', async () => {
  await using pooler = await PgBouncer.start(db.target, { poolMode: 'transaction' });
  const before = await connected(pooler);

  await pooler.restart();

  await expect(before.query('select 1')).rejects.toThrow();
  expect((await (await connected(pooler)).query('select 1')).rowCount).toBe(1);
});

test('refuses connections after a stop', async () => {
  const pooler = await PgBouncer.start(db.target, { poolMode: 'transaction' });

  await pooler.stop();

  await expect(connected(pooler)).rejects.toThrow('ECONNREFUSED');
});
