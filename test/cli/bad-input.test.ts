import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { synthdb } from './run.ts';

describe('synthdb migrate up with an invalid configuration', () => {
  let db: TestDatabase;
  let directory: string;
  let silent: Server;
  beforeAll(async () => {
    db = await TestServer.shared().createEmptyDatabase();
    directory = await mkdtemp(join(tmpdir(), 'synthdb-'));
    silent = createServer().listen(0, '127.0.0.1');
    await db.orm.em.execute(`create role "reader_${db.target.parts.database}" login password 'canary'`);
  });
  afterAll(async () => {
    silent.close();
    await db.orm.em.execute(`drop role "reader_${db.target.parts.database}"`);
    await db.drop();
    await rm(directory, { recursive: true });
  });

  const at = (change: { user?: string; password?: string; port?: number; database?: string }): string => {
    const { host, port, user, database } = { ...db.target.parts, ...change };
    return `postgresql://${user}:${change.password ?? 'canary'}@${host}:${port}/${database}`;
  };

  test.each([
    ['a port where nothing listens', () => at({ port: 1 }), 'no server is listening on this host and port'],
    [
      'a server that never answers',
      () => `${at({ port: portOf(silent) })}?connect_timeout=1`,
      'no answer in time',
    ],
    ['a wrong password', () => at({}), 'the password is wrong'],
    [
      'a database that does not exist',
      () => at({ database: 'nowhere', password: db.target.parts.password }),
      'does not exist',
    ],
    [
      'a role that may not create',
      () => at({ user: `reader_${db.target.parts.database}` }),
      'the role lacks a privilege: connect as the owner',
    ],
    [
      'another kind of database',
      () => 'mysql://root:canary@127.0.0.1/lab',
      'DATABASE_URL has the scheme "mysql"; expected postgres or postgresql',
    ],
    [
      'a password that would change the host',
      () => 'postgresql://a:can#ary@127.0.0.1/lab',
      'write it as %23',
    ],
  ])('%s is one readable line, without a password', async (_, url, says) => {
    const { code, stdout, stderr } = await synthdb(['migrate', 'up', '--json'], directory, {
      DATABASE_URL: url(),
    });

    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(says);
    expect(stderr).not.toMatch(/canary|can#ary/);
    const left = await db.orm.em.execute(
      `select relname from pg_class where relnamespace = 'public'::regnamespace`,
    );
    expect(left).toEqual([]);
  });

  test('reports a read-only connection, and applies nothing', async () => {
    const { database, password } = db.target.parts;
    await db.orm.em.execute(`alter database "${database}" set default_transaction_read_only = on`);

    const { code, stderr } = await synthdb(['migrate', 'up'], directory, { DATABASE_URL: at({ password }) });

    await db.orm.em.execute(
      `begin read write; alter database "${database}" reset default_transaction_read_only; commit`,
    );
    expect(code).toBe(1);
    expect(stderr).toContain('the connection is read-only');
    const left = await db.orm.em.execute(
      `select relname from pg_class where relnamespace = 'public'::regnamespace`,
    );
    expect(left).toEqual([]);
  });

  test('refuses an unknown command as invalid usage', async () => {
    expect(await synthdb(['migrate', 'sideways'], directory)).toMatchObject({ code: 2, stdout: '' });
  });

  test('requires snake_case for the name of a migration', async () => {
    const { code, stderr } = await synthdb(['migrate', 'create', 'Add Tags'], directory, {
      DATABASE_URL: at({}),
    });

    expect(code).toBe(2);
    expect(stderr).toContain('add_tags');
  });
});

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}
