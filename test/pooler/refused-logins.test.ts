import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ConnectionError, openDatabase } from '../../src/index.ts';
import { TestDatabase, TestServer } from '../../src/testing/index.ts';
import { PgBouncer, whyNoPooler, type PoolerOptions } from '../../packages/migrator/test/kit/pgbouncer.ts';

// Directly, also when the server of the run is behind a pooler.
let server: URL;
let db: TestDatabase;
beforeAll(async () => {
  db = await TestDatabase.create();
  server = new URL(TestServer.shared().url);
  server.pathname = db.target.parts.database;
});
afterAll(() => db.drop());
beforeEach(({ skip }) => {
  if (whyNoPooler !== null) skip(whyNoPooler);
});

/** Returns the reason why a database can't be opened, without the address and the code, which differ. */
async function whyNot(
  url: URL,
  change: Partial<Record<'username' | 'password' | 'pathname', string>>,
): Promise<string> {
  const failure: unknown = await openDatabase({ url: Object.assign(new URL(url), change).href }).catch(
    (error: unknown) => error,
  );
  if (!(failure instanceof ConnectionError))
    throw new Error('it was opened, or failed otherwise', { cause: failure });
  expect(failure.message).not.toContain('canary');
  return failure.message.replace(/^(Database connection failed: )\S+: /, '$1').replace(/ \(\w{5}\)$/, '');
}

function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

async function started(options: Partial<PoolerOptions>): Promise<{ pooler: PgBouncer; url: URL }> {
  const pooler = await PgBouncer.start(db.target, { poolMode: 'transaction', ...options });
  onTestFinished(() => pooler.stop());
  return { pooler, url: new URL(pooler.url()) };
}

describe.each(['scram-sha-256', 'md5', 'plain'] as const)(
  'a pooler with authentication by %s',
  (authType) => {
    test('reports a wrong password and an unknown role as the server does', async () => {
      const { url } = await started({ authType });
      const wrong = { password: 'canary' };
      const unknown = { username: 'nobody', password: 'canary' };

      const direct = await whyNot(server, wrong);

      expect(direct).toBe('Database connection failed: the password is wrong, or the role does not exist');
      expect(await whyNot(url, wrong)).toBe(direct);
      expect(await whyNot(url, unknown)).toBe(direct);
    });
  },
);

test.each(['md5', 'plain'] as const)(
  'a pooler with authentication by %s reports a missing password as a wrong one',
  async (authType) => {
    expect(await whyNot((await started({ authType })).url, { password: '' })).toBe(
      'Database connection failed: the password is wrong, or the role does not exist',
    );
  },
);

test('a missing password for SCRAM is reported, and no connection stays open', async () => {
  const missing = 'Database connection failed: the server asks for a password, and none is configured';

  const before = sockets();

  expect(await whyNot(server, { password: '' })).toBe(missing);
  // Its connection is closed before the server closes it.
  await expect.poll(sockets, { timeout: 2_000 }).toBeLessThanOrEqual(before);
  expect(await whyNot((await started({ authType: 'scram-sha-256' })).url, { password: '' })).toBe(missing);
});

test.each(['any', 'one'] as const)(
  'a missing database is reported as by the server: %s',
  async (databases) => {
    const { url } = await started({ databases });
    const unknown = { pathname: '/nowhere' };

    expect(await whyNot(url, unknown)).toBe(await whyNot(server, unknown));
  },
);

test('a full pooler is reported as a full server', async () => {
  const { pooler, url } = await started({ clients: 1 });
  const client = new Client(pooler.url());
  onTestFinished(() => client.end());
  await client.connect();

  expect(await whyNot(url, {})).toBe('Database connection failed: the server has no free connection');
});
