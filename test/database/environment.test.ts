import { afterEach, beforeAll, afterAll, expect, test, vi } from 'vitest';
import { ConnectionLostError, PoolerError, SettingsError, openDatabase } from '../../src/index.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';
import { RecordingLogger } from './telemetry/recording-logger.ts';
import { rejectionOf } from './reported-error.ts';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => db.drop());

/** Opens the database as a service without options does. */
function open(variables: Record<string, string>, lines?: RecordingLogger) {
  for (const [name, value] of Object.entries({ DATABASE_URL: db.url, ...variables })) vi.stubEnv(name, value);
  return openDatabase({ logger: lines });
}

test('DATABASE_POOL_MODE=transaction refuses changes of the session', async () => {
  await using database = await open({ DATABASE_POOL_MODE: 'transaction' });

  const refused = database.transact(({ em }) => em.execute('set lock_timeout = 5'));

  await expect(refused).rejects.toBeInstanceOf(PoolerError);
});

test('DATABASE_POOL_MODE=external keeps no connection, and refuses timeouts of idle connections by name', async () => {
  await using database = await open({ DATABASE_POOL_MODE: 'external' });
  await database.transact(({ em }) => em.execute('select 1'));

  await expect.poll(async () => (await database.health()).pool.idle).toBe(0);
  const refused = open({ DATABASE_POOL_MODE: 'external', DATABASE_POOL_MAX_LIFETIME: '5' });
  await expect(refused).rejects.toBeInstanceOf(SettingsError);
  await expect(refused).rejects.toThrow(
    /^DATABASE_POOL_MAX_LIFETIME has no effect with the pool mode external/,
  );
});

test('DATABASE_POOL_MODE=transaction refuses options in URLs, also of replicas', async () => {
  const refused = open({
    DATABASE_POOL_MODE: 'transaction',
    REPLICA_DATABASE_URLS: `${db.url}?options=-csearch_path%3Dlab`,
  });

  await expect(refused).rejects.toThrow(/^REPLICA_DATABASE_URLS\[0\] has options/);
});

test('DATABASE_POOL_MAX, DATABASE_STATEMENT_TIMEOUT and REPLICA_DATABASE_URLS apply to the database', async () => {
  await using database = await open({
    DATABASE_POOL_MAX: '3',
    DATABASE_STATEMENT_TIMEOUT: '4711',
    REPLICA_DATABASE_URLS: db.url,
  });

  const timeout = await database.transact(({ em }) => em.execute('show statement_timeout'));

  expect(timeout).toEqual([{ statement_timeout: '4711ms' }]);
  expect(await database.health()).toMatchObject({
    pool: { max: 3 },
    replicas: [{ error: 'it is not a replica' }],
  });
});

test('DATABASE_ANSWER_TIMEOUT limits the wait for a silent server', async () => {
  await using proxy = await WireProxy.start(db.target);
  await using database = await open({ DATABASE_URL: proxy.url(), DATABASE_ANSWER_TIMEOUT: '300' });
  proxy.failAt(/^select 'silence'/, 'silent');

  const failure = await rejectionOf(database.transact(({ em }) => em.execute(`select 'silence'`)));

  expect(failure).toBeInstanceOf(ConnectionLostError);
  expect(failure).toMatchObject({ message: expect.stringContaining('no answer in time') });
  proxy.failNow('cut');
});

test('DATABASE_CLOSE_TIMEOUT limits the wait of close', async () => {
  const database = await open({ DATABASE_CLOSE_TIMEOUT: '50' });
  const running = rejectionOf(database.transact(({ em }) => em.execute('select pg_sleep(60)')));

  await database.close();

  expect(await running).toMatchObject({ code: 'database_closed' });
});

test('SQL_ECHO logs every statement without its values, also without a logger', async () => {
  const written: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    await using database = await open({ SQL_ECHO: 'true' });
    await database.transact(({ em }) => em.execute(`select 'canary' as echoed`));
  } finally {
    stderr.mockRestore();
  }

  const lines = written.join('');
  expect(lines).toContain('select ? as echoed');
  expect(lines).not.toContain('canary');
});

test('DATABASE_SLOW_STATEMENT applies to a given logger', async () => {
  const lines = new RecordingLogger();
  await using database = await open({ DATABASE_SLOW_STATEMENT: '20' }, lines);

  await database.transact(({ em }) => em.execute('select pg_sleep(0.05)'));

  expect(lines.of('slow statement')).toContainEqual(
    expect.objectContaining({
      fields: expect.objectContaining({ statement: expect.stringContaining('pg_sleep') }),
    }),
  );
});
