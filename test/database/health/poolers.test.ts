import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { EmbeddedPostgres } from '../../../src/embedded/index.ts';
import { openDatabase, type Database, type PoolMode } from '../../../src/index.ts';
import { parseDatabaseUrl } from '../../../src/settings/database-url.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { crash, freeze, postmasterPid } from '../../embedded/postmaster.ts';
import { scratchCluster } from '../../embedded/scratch.ts';
import { sql } from '../../embedded/sql.ts';
import { PgBouncer, whyNoPooler, type PoolerOptions } from '../../../packages/migrator/test/kit/pgbouncer.ts';
import { healthInTime } from './health-in-time.ts';

beforeEach(({ skip }) => {
  if (whyNoPooler !== null) skip(whyNoPooler);
});

async function opened(pooler: PgBouncer, poolMode: PoolMode): Promise<Database> {
  const ignored = { schemaBehind: 'ignore', schemaAhead: 'ignore' } as const;
  const database = await openDatabase({ url: pooler.url(), poolMode, ...ignored });
  onTestFinished(() => database.close({ timeout: 0 }).catch(() => {}));
  return database;
}

/** Another client of the pooler, in the middle of a transaction. */
async function holder(pooler: PgBouncer): Promise<Client> {
  const client = new Client(pooler.url());
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end().catch(() => {}));
  await client.query('begin; select 1');
  return client;
}

describe('an exhausted pooler', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterAll(() => db.drop());

  const assignsNone = 'the pooler is alive, but assigned no connection to the server in time';
  const hasNone = 'the server, or a pooler in front of it, has no free connection';

  test.each<[string, PoolerOptions, PoolMode, number, unknown]>([
    [
      'other clients hold its connections',
      { poolMode: 'transaction', serverConnections: 2 },
      'transaction',
      2,
      assignsNone,
    ],
    [
      'other clients hold its connections',
      { poolMode: 'transaction', serverConnections: 2 },
      'external',
      2,
      assignsNone,
    ],
    // The pool keeps the connection that it has, which goes on answering.
    [
      'other clients hold its connections',
      { poolMode: 'session', serverConnections: 2 },
      'external',
      2,
      assignsNone,
    ],
    [
      'it lets nobody wait',
      { poolMode: 'transaction', serverConnections: 2, queryWait: 1 },
      'transaction',
      2,
      expect.stringMatching(`${assignsNone}|${hasNone}`),
    ],
    ['it has too many clients', { poolMode: 'transaction', clients: 4 }, 'external', 4, hasNone],
  ])('is saturated when %s: %o, %s', async (_, options, poolMode, others, error) => {
    await using pooler = await PgBouncer.start(db.target, options);
    const database = await opened(pooler, poolMode);
    const holders: Client[] = [];
    while (holders.length < others) holders.push(await holder(pooler));

    for (let round = 0; round < 2; round++)
      expect(await healthInTime(database)).toMatchObject({ status: 'saturated', ready: false, error });

    await Promise.all(holders.map((client) => client.end()));
    await expect.poll(() => healthInTime(database), { timeout: 5_000 }).toMatchObject({ status: 'up' });
  });

  test('is up for a pool that has a connection already', async () => {
    await using pooler = await PgBouncer.start(db.target, { poolMode: 'session', serverConnections: 2 });
    const database = await opened(pooler, 'session');
    await holder(pooler);

    expect(await healthInTime(database)).toMatchObject({ status: 'up' });
  });

  test('is down after it was stopped', async () => {
    const pooler = await PgBouncer.start(db.target, { poolMode: 'transaction' });
    const database = await opened(pooler, 'transaction');

    await pooler.stop();

    expect(await healthInTime(database)).toMatchObject({
      status: 'down',
      error: expect.stringContaining('no server is listening on this host and port'),
    });
  });
});

async function start(): Promise<{ server: EmbeddedPostgres; pooler: PgBouncer }> {
  const server = await EmbeddedPostgres.start({
    directory: await scratchCluster(),
    settings: { fsync: 'off' },
  });
  const pooler = await PgBouncer.start(parseDatabaseUrl(server.url, 'url'), { poolMode: 'transaction' });
  onTestFinished(() => pooler.stop());
  return { server, pooler };
}

describe('a server behind a pooler', () => {
  test('is down when it was killed', async () => {
    const { server, pooler } = await start();
    const database = await opened(pooler, 'transaction');

    await crash(server.directory);

    await expect
      .poll(() => healthInTime(database), { timeout: 10_000 })
      .toMatchObject({ status: 'down', ready: false });
  });

  test('is saturated when it is suspended, as when it is busy', async () => {
    const { server, pooler } = await start();
    const database = await opened(pooler, 'transaction');
    const backends = await sql(
      server.url,
      `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    const goOn = [await postmasterPid(server.directory), ...backends.map(({ pid }) => Number(pid))].map(
      freeze,
    );

    expect(await healthInTime(database)).toMatchObject({ status: 'saturated', ready: false });

    for (const thaw of goOn) thaw();
    await expect
      .poll(() => healthInTime(database), { timeout: 10_000 })
      .toMatchObject({ status: 'degraded', schema: { version: null } });
  });
});
