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
  test('says in one line what it runs on', () => {
    const { description, version, kind } = TestServer.shared();

    expect(description).toMatch(
      /^PostgreSQL \d+\.\d+, (embedded|container of \S+|TEST_DATABASE_URL, \S+@\S+)$/,
    );
    expect(description).toContain(version);
    expect(description).toContain(kind === 'given' ? 'TEST_DATABASE_URL' : kind);
    expect(description).not.toContain(db.target.parts.password);
  });

  test('gives each that asks a migrated copy of its own, also many at once', async () => {
    const copies = await Promise.all(Array.from({ length: 6 }, () => TestDatabase.create()));

    await copies[0]?.transact(async ({ experiments }) => experiments.add({ name: 'one', hypothesis: 'two' }));

    expect(new Set(copies.map(({ url }) => url)).size).toBe(6);
    for (const [index, copy] of copies.entries()) {
      const [found] = await copy.orm.em.execute('select count(*)::int as n from experiments');
      expect(found).toEqual({ n: index === 0 ? 1 : 0 });
      await copy.drop();
    }
  });

  test('gives an empty database to whoever asks for one', async () => {
    await using empty = await TestServer.shared().createEmptyDatabase();

    const [found] = await empty.orm.em.execute(
      `select count(*)::int as n from pg_class where relnamespace = 'public'::regnamespace`,
    );

    expect(found).toEqual({ n: 0 });
  });

  test('tells other processes where its server is, until it is stopped', async () => {
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
      /^no test server: call TestServer\.start\(\) in the global set-up/,
    );
  });

  test('drops all of its databases when it stops, also those that nobody gave back', async () => {
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
  test('drops what killed runs left, and nothing else', async () => {
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

  test('leaves alone what is in use, though its run is gone', async () => {
    const name = 'synthdb_test_00000001_0123456789ab';
    await db.orm.em.execute(`create database "${name}"`);
    const user = await TestDatabase.open(db.url.replace(/[^/]*$/, name), async () => {
      await db.orm.em.execute(`drop database "${name}" with (force)`);
    });

    await (await TestServer.start({ ...given })).stop();

    expect(await databases()).toContain(name);
    await user.drop();
  });

  test('is refused in one line when nothing answers', async () => {
    const starting = TestServer.start({
      TEST_DATABASE_URL: 'postgresql://somebody:s3cret@127.0.0.1:1/tests',
    });

    await expect(starting).rejects.toThrow(ConnectionError);
    await expect(starting).rejects.toThrow(
      /^TEST_DATABASE_URL: Database connection failed: somebody@127\.0\.0\.1:1\/tests: no server is listening on this host and port \(ECONNREFUSED\)$/,
    );
  });

  test('is refused in one line, with the remedy, when the role may not create databases', async ({
    skip,
  }) => {
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
      /^TEST_DATABASE_URL: \S+: the role may not create databases; let it \(alter role "\S+" createdb\)/,
    );
    await db.orm.em.execute(`drop role "${role}"`);
  });

  test('is refused when PG_MAJOR names another version than the server has', async () => {
    const other = TestServer.shared().version.startsWith('18.') ? '17' : '18';

    const starting = TestServer.start({ ...given, PG_MAJOR: other });

    await expect(starting).rejects.toThrow(
      new RegExp(`^PG_MAJOR is ${other}, but the tests would run on PostgreSQL [\\d.]+ `),
    );
  });
});

describe('a setting that makes no sense is named', () => {
  test.for([
    [{ TEST_POSTGRES: 'docker' }, /^TEST_POSTGRES is "docker"; write TEST_POSTGRES=container/],
    [{ PG_MAJOR: 'latest' }, /^PG_MAJOR is "latest"; write PG_MAJOR=18/],
    [{ TEST_DATABASE_URL: '' }, /^TEST_DATABASE_URL is empty/],
    [{ TEST_DATABASE_URL: 'mysql://root@localhost/x' }, /^TEST_DATABASE_URL has the scheme "mysql"/],
  ] as const)('%o', async ([environment, message]) => {
    const starting = TestServer.start({ ...environment });

    await expect(starting).rejects.toThrow(SettingsError);
    await expect(starting).rejects.toThrow(message);
  });
});

describe('a run that asks for a container', () => {
  test('has a server in one', ({ skip }) => {
    const { kind } = TestServer.shared();
    if (kind !== 'container') skip('needs Docker or Podman: make test-containers');

    expect(TestServer.shared().description).toMatch(/, container of \S+$/);
  });

  test('is refused in one line, with the remedies, where no container runtime answers', async ({ skip }) => {
    const runtime = process.env['DOCKER_HOST'] !== undefined || existsSync('/var/run/docker.sock');
    if (runtime) skip('needs a machine without Docker or Podman');

    const starting = TestServer.start({ TEST_POSTGRES: 'container' });

    await expect(starting).rejects.toThrow(SettingsError);
    await expect(starting).rejects.toThrow(
      /^TEST_POSTGRES=container, but no container runtime answers \(.*\): start Docker or Podman, or .*make test/,
    );
  });
});
