import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SettingsError } from '../../src/errors.ts';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { parseDatabaseUrl } from '../../src/settings/database-url.ts';
import { TestDatabase, TestServer } from '../../src/testing/index.ts';
import { PgBouncer, whyNoPooler } from '../../packages/migrator/test/kit/pgbouncer.ts';
import { OtherRun, whyNoNamespaces } from './other-run.ts';

async function isUp(url: string): Promise<boolean> {
  try {
    await (await TestDatabase.open(url, async () => {})).close();
    return true;
  } catch {
    return false;
  }
}

/** A run that begins and ends after the others, and removes what it takes for left. */
async function oneMoreRun(environment: NodeJS.ProcessEnv, options?: { inContainer: boolean }): Promise<void> {
  await using run = await OtherRun.start(environment, options);
  await run.createDatabase();
  await run.end('stop');
}

/** A directory for temporary files that the runs of a test share, and no others. */
async function sharedTemporary(): Promise<{ TMPDIR: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'synth-lab-runs-'));
  await chmod(directory, 0o755);
  onTestFinished(async () => {
    for (const name of await readdir(directory)) {
      await EmbeddedPostgres.remove({ directory: join(directory, name) });
    }
    await rm(directory, { recursive: true, force: true });
  });
  return { TMPDIR: directory };
}

describe('a run with an embedded server', () => {
  test('stops its server when it exits without doing so', async () => {
    const shared = await sharedTemporary();
    await using run = await OtherRun.start(shared);
    expect(await isUp(run.url)).toBe(true);

    await run.end('exit');

    await expect.poll(() => readdir(shared.TMPDIR), { interval: 200 }).toEqual([]);
    expect(await isUp(run.url)).toBe(false);
  });

  test('that was killed has its server removed by the next run', async () => {
    const shared = await sharedTemporary();
    await using run = await OtherRun.start(shared);
    await run.kill();
    expect(await isUp(run.url)).toBe(true);

    await oneMoreRun(shared);

    expect(await readdir(shared.TMPDIR)).toEqual([]);
    expect(await isUp(run.url)).toBe(false);
  });

  test('keeps its server despite runs of containers that share the directory', async ({ skip }) => {
    if (whyNoNamespaces) skip(whyNoNamespaces);
    const shared = await sharedTemporary();
    await using first = await OtherRun.start(shared);
    await using second = await OtherRun.start(shared, { inContainer: true });

    expect(await isUp(await first.createDatabase())).toBe(true);
    expect(await isUp(await second.createDatabase())).toBe(true);
  });
});

/** The name of the run to which the database of a URL belongs. */
function runOf(url: string): string {
  return new URL(url).pathname.slice('/'.length, '/synthdb_test_01234567'.length);
}

describe('a run on a given server', () => {
  let db: TestDatabase;
  let given: { TEST_DATABASE_URL: string };
  beforeAll(async () => {
    db = await TestDatabase.create();
    // Past a pooler, on a database of the test's own.
    const url = new URL(TestServer.shared().url);
    url.pathname = db.target.parts.database;
    given = { TEST_DATABASE_URL: url.href };
  });
  afterAll(() => db.drop());

  async function databasesOf(run: string): Promise<string[]> {
    const rows = await db.orm.em.execute<{ name: string }[]>(
      'select datname as name from pg_database where datname like ?',
      [`${run}%`],
    );
    return rows.map(({ name }) => name);
  }

  async function sessionsOf(run: string): Promise<number[]> {
    const rows = await db.orm.em.execute<{ pid: number }[]>(
      'select pid from pg_stat_activity where application_name = ?',
      [run],
    );
    return rows.map(({ pid }) => pid);
  }

  test('keeps its databases when a run of another host is killed, whose databases are dropped', async ({
    skip,
  }) => {
    if (whyNoNamespaces) skip(whyNoNamespaces);
    await using killed = await OtherRun.start(given, { inContainer: true });
    await using other = await OtherRun.start(given, { inContainer: true });
    const left = runOf(await killed.createDatabase());
    const kept = await other.createDatabase();
    await killed.kill();
    // The kernel closes the session's socket.
    await expect.poll(() => sessionsOf(left)).toEqual([]);
    expect(await databasesOf(left)).toHaveLength(2);

    await oneMoreRun(given, { inContainer: true });

    expect(await databasesOf(left)).toEqual([]);
    expect(await isUp(kept)).toBe(true);
    expect(await isUp(await other.createDatabase())).toBe(true);
  });

  test('keeps its databases while it is suspended', async () => {
    await using run = await OtherRun.start(given);
    const url = await run.createDatabase();
    run.signal('SIGSTOP');

    await oneMoreRun(given);

    run.signal('SIGCONT');
    expect(await isUp(url)).toBe(true);
    expect(await isUp(await run.createDatabase())).toBe(true);
  });

  test('keeps its databases when the server ends its session', async () => {
    await using run = await OtherRun.start(given);
    const name = runOf(await run.createDatabase());
    const [pid = 0] = await sessionsOf(name);
    await db.orm.em.execute('select pg_terminate_backend(?)', [pid]);

    await oneMoreRun(given);

    expect(await isUp(await run.createDatabase())).toBe(true);
    expect(await sessionsOf(name)).toEqual([expect.not.toSatisfy((found) => found === pid)]);
  });

  test('keeps its session despite idle timeouts of the server', async () => {
    const { database } = db.target.parts;
    await db.orm.em.execute(`alter database "${database}" set idle_in_transaction_session_timeout = '50ms'`);
    try {
      await using run = await OtherRun.start(given);
      const name = runOf(await run.createDatabase());
      const sessions = await sessionsOf(name);

      await setTimeout(300);

      expect(sessions).toHaveLength(1);
      expect(await sessionsOf(name)).toEqual(sessions);
    } finally {
      await db.orm.em.execute(`alter database "${database}" reset idle_in_transaction_session_timeout`);
    }
  });

  test.for(['session', 'transaction'] as const)(
    'keeps its session through a pooler in %s mode',
    async (poolMode, { skip }) => {
      if (whyNoPooler) skip(whyNoPooler);
      await using pooler = await PgBouncer.start(parseDatabaseUrl(given.TEST_DATABASE_URL, 'url'), {
        poolMode,
        idle: 1,
      });
      await using run = await OtherRun.start({ TEST_DATABASE_URL: pooler.url() });
      const name = runOf(await run.createDatabase());
      const sessions = await sessionsOf(name);

      // Longer than the pooler keeps an idle connection.
      await setTimeout(2_500);

      expect(sessions).toHaveLength(1);
      expect(await sessionsOf(name)).toEqual(sessions);
    },
  );

  test('is refused when a pooler changes the name of its session', async ({ skip }) => {
    if (whyNoPooler) skip(whyNoPooler);
    await using pooler = await PgBouncer.start(parseDatabaseUrl(given.TEST_DATABASE_URL, 'url'), {
      poolMode: 'session',
      renames: true,
    });

    const starting = TestServer.start({ TEST_DATABASE_URL: pooler.url() });

    await expect(starting).rejects.toThrow(SettingsError);
    await expect(starting).rejects.toThrow(
      /^TEST_DATABASE_URL: .* set TEST_DATABASE_URL to the server itself, and TEST_POOLER_URL to the pooler$/,
    );
  });
});
