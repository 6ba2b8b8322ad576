import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConnectionError, SettingsError } from '../../src/errors.ts';
import { TestDatabase, TestServer } from '../../src/testing/index.ts';
import { nextLine, runScript } from './run-script.ts';

let db: TestDatabase;
let given: { TEST_DATABASE_URL: string };
beforeAll(async () => {
  db = await TestDatabase.create();
  given = { TEST_DATABASE_URL: db.url };
});
afterAll(() => db.drop());

async function databases(): Promise<string[]> {
  const rows = await db.orm.em.execute<{ name: string }[]>('select datname as name from pg_database');
  return rows.map(({ name }) => name);
}

describe('a run', () => {
  test('describes its server in one line', () => {
    const { description, version, kind } = TestServer.shared();

    expect(description).toMatch(
      /^PostgreSQL \d+\.\d+, (embedded|container of \S+|TEST_DATABASE_URL, \S+@\S+)$/,
    );
    expect(description).toContain(version);
    expect(description).toContain(kind === 'given' ? 'TEST_DATABASE_URL' : kind);
    expect(description).not.toContain(db.target.parts.password);
  });

  test('creates any number of migrated databases concurrently', async () => {
    const copies = await Promise.all(Array.from({ length: 6 }, () => TestDatabase.create()));

    await copies[0]?.transact(async ({ experiments }) => experiments.add({ name: 'one', hypothesis: 'two' }));

    expect(new Set(copies.map(({ url }) => url)).size).toBe(6);
    for (const [index, copy] of copies.entries()) {
      const [found] = await copy.orm.em.execute('select count(*)::int as n from experiments');
      expect(found).toEqual({ n: index === 0 ? 1 : 0 });
      await copy.drop();
    }
  });

  test('creates an empty database', async () => {
    await using empty = await TestServer.shared().createEmptyDatabase();

    const [found] = await empty.orm.em.execute(
      `select count(*)::int as n from pg_class where relnamespace = 'public'::regnamespace`,
    );

    expect(found).toEqual({ n: 0 });
  });

  test('shares its server with other processes until it stops', async () => {
    const environment: NodeJS.ProcessEnv = { ...given };
    const server = await TestServer.start(environment);

    const child = runScript(
      `await using db = await TestDatabase.create(); console.log(db.url);`,
      environment,
    );
    const [url] = await Promise.all([nextLine(child), once(child, 'exit')]);

    expect(url).toMatch(/\/synthdb_test_[0-9a-f]{8}_[0-9a-f]{12}$/);
    await server.stop();
    expect(() => TestServer.shared(environment)).toThrow(
      /^no test server is running; call TestServer\.start\(\) in the global set-up/,
    );
  });

  test('drops all of its databases when it stops', async () => {
    const environment: NodeJS.ProcessEnv = { ...given };
    const server = await TestServer.start(environment);
    const forgotten = await server.createDatabase();
    const { database } = forgotten.target.parts;
    const run = database.slice(0, 'synthdb_test_'.length + 8);
    expect(await databases()).toEqual(expect.arrayContaining([database, `${run}_template`]));

    await server.stop();

    expect((await databases()).filter((name) => name.startsWith(run))).toEqual([]);
    await forgotten.close();
  });
});

describe('a run on a given server', () => {
  test('drops only the databases of killed runs', async () => {
    const [left, own] = ['synthdb_test_00000000_0123456789ab', 'synthdb_test_mine'];
    for (const name of [left, 'synthdb_test_00000000_template', own]) {
      await db.orm.em.execute(`create database "${name}"`);
    }

    await using server = await TestServer.start({ ...given });

    const found = await databases();
    expect(found).not.toContain(left);
    expect(found).not.toContain('synthdb_test_00000000_template');
    expect(found).toContain(own);
    // The runs that go on: the one that this test belongs to, and the one above.
    expect(found).toContain(db.target.parts.database);
    await (await TestDatabase.create()).drop();
    await (await server.createDatabase()).drop();
    await db.orm.em.execute(`drop database "${own}"`);
  });

  test('keeps a database of an ended run that is in use', async () => {
    const name = 'synthdb_test_00000001_0123456789ab';
    await db.orm.em.execute(`create database "${name}"`);
    const user = await TestDatabase.open(db.url.replace(/[^/]*$/, name), async () => {
      await db.orm.em.execute(`drop database "${name}" with (force)`);
    });

    await (await TestServer.start({ ...given })).stop();

    expect(await databases()).toContain(name);
    await user.drop();
  });

  test('throws ConnectionError when the server is unreachable', async () => {
    const starting = TestServer.start({
      TEST_DATABASE_URL: 'postgresql://somebody:s3cret@127.0.0.1:1/tests',
    });

    await expect(starting).rejects.toThrow(ConnectionError);
    await expect(starting).rejects.toThrow(
      /^TEST_DATABASE_URL: Database connection failed: somebody@127\.0\.0\.1:1\/tests: no server is listening on this host and port \(ECONNREFUSED\)$/,
    );
  });

  test('throws SettingsError with the remedy when the role may not create databases', async ({ skip }) => {
    const [me] = await db.orm.em.execute<{ may: boolean }[]>(
      'select rolsuper as may from pg_roles where rolname = current_user',
    );
    if (!me?.may) skip('needs a server on which the tests are superuser');
    const role = `synthdb_test_reader_${process.pid}`;
    await db.orm.em.execute(`create role "${role}" login password 's3cret'`);
    const url = new URL(db.url);
    [url.username, url.password] = [role, 's3cret'];

    const starting = TestServer.start({ TEST_DATABASE_URL: url.href });

    await expect(starting).rejects.toThrow(SettingsError);
    await expect(starting).rejects.toThrow(
      /^TEST_DATABASE_URL: \S+: the role may not create databases; run: alter role "\S+" createdb, or /,
    );
    await db.orm.em.execute(`drop role "${role}"`);
  });

  test('is refused when PG_MAJOR differs from the version of the server', async () => {
    const other = TestServer.shared().version.startsWith('18.') ? '17' : '18';

    const starting = TestServer.start({ ...given, PG_MAJOR: other });

    await expect(starting).rejects.toThrow(
      new RegExp(`^PG_MAJOR is ${other}, but TEST_DATABASE_URL is PostgreSQL [\\d.]+ `),
    );
  });
});

describe('an invalid setting is reported by name', () => {
  test.for([
    [{ TEST_POSTGRES: 'docker' }, /^TEST_POSTGRES is "docker"; set TEST_POSTGRES=container/],
    [{ PG_MAJOR: 'latest' }, /^PG_MAJOR is "latest"; expected a major version, for example PG_MAJOR=18/],
    [{ TEST_DATABASE_URL: '' }, /^TEST_DATABASE_URL is empty/],
    [{ TEST_DATABASE_URL: 'mysql://root@localhost/x' }, /^TEST_DATABASE_URL has the scheme "mysql"/],
  ] as const)('%o', async ([environment, message]) => {
    const starting = TestServer.start({ ...environment });

    await expect(starting).rejects.toThrow(SettingsError);
    await expect(starting).rejects.toThrow(message);
  });
});

describe('a run with TEST_POSTGRES=container', () => {
  test('runs on a server in a container', ({ skip }) => {
    const { kind } = TestServer.shared();
    if (kind !== 'container') skip('needs Docker or Podman: make test-containers');

    expect(TestServer.shared().description).toMatch(/, container of \S+$/);
  });

  test('throws SettingsError with the remedies when no container runtime is reachable', async ({ skip }) => {
    const runtime = process.env['DOCKER_HOST'] !== undefined || existsSync('/var/run/docker.sock');
    if (runtime) skip('needs a machine without Docker or Podman');

    const starting = TestServer.start({ TEST_POSTGRES: 'container' });

    await expect(starting).rejects.toThrow(SettingsError);
    await expect(starting).rejects.toThrow(
      /^TEST_POSTGRES=container, but no container runtime is reachable \(.*\); start Docker or Podman, or .*make test/,
    );
  });
});
