import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as dial, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../../src/postgres/orm/connect.ts';
import { ConnectionError } from '../../../src/errors.ts';
import { buildDatabaseUrl, parseDatabaseUrl, type TargetParts } from '../../../src/settings/database-url.ts';
import { TestServer, type TestDatabase } from '../../../src/testing/index.ts';
import { anyText } from '../../settings/any-parts.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await TestServer.shared().createEmptyDatabase();
});
afterAll(() => db.drop());

/** Returns the result of a query in a session of this URL. */
async function ask(url: string, sql: string): Promise<unknown> {
  const orm = await connect(parseDatabaseUrl(url, 'url'), { pool: { max: 1 } });
  try {
    const [row] = await orm.em.execute<{ answer: unknown }[]>(`select (${sql}) as answer`);
    return row?.answer;
  } finally {
    await orm.close(true);
  }
}

const urlWith = (change: Partial<TargetParts>): string => buildDatabaseUrl({ ...db.target.parts, ...change });

describe('user, password and database of any characters', () => {
  // LOGINS=1000 for more.
  const numRuns = Number(process.env['LOGINS'] ?? 30);

  test(`log in, ${numRuns} times`, { timeout: 10_000 + numRuns * 1_000 }, async () => {
    // PostgreSQL truncates longer names, and the prefix of this run precedes them.
    const anyName = anyText.filter((name) => Buffer.byteLength(name) <= 50);
    // Unique among the runs on the server.
    const run = db.target.parts.database.slice(-6);
    let database = `${run} lab`;
    await db.orm.em.execute(`create database ${quoted(database)} template template0`);
    const logsIn = fc.asyncProperty(anyName, anyText, anyName, async (name, password, named) => {
      const user = `${run}${name}`;
      const renamed = `${run}${named}`;
      if (renamed !== database)
        await db.orm.em.execute(`alter database ${quoted(database)} rename to ${quoted(renamed)}`);
      database = renamed;
      await db.orm.em.execute(
        `create role ${quoted(user)} login password '${password.replaceAll(`'`, `''`)}'`,
      );
      try {
        const url = urlWith({ user, password, database });

        expect(await ask(url, 'select array[session_user, current_database()]::text[]')).toEqual([
          user,
          database,
        ]);
        await expect(ask(urlWith({ user, password: `${password}x`, database }), '1')).rejects.toThrow(
          ConnectionError,
        );
      } finally {
        await db.orm.em.execute(`drop role ${quoted(user)}`);
      }
    });
    try {
      await fc.assert(logsIn, { numRuns });
    } finally {
      await db.orm.em.execute(`drop database ${quoted(database)} with (force)`);
    }
  });
});

test.each([
  '👩\u200D🔬',
  '⚠\uFE0F stop',
  '❤\uFE0F',
  'ａｂｃ',
  'ａ😀',
  'x\u00ADy',
  'x\u00ADy🔑',
  'a\u00A0b',
  'ﬁ\u0221',
  'ﬁ\uE000',
  'ﬁ\uFFFD',
  'ﬁ\u1806',
  '²\u{20000}',
  '²\u{2A6D7}',
])('a password that the server prepares or uses unchanged logs in: %j', async (password) => {
  const user = `${db.target.parts.database.slice(-6)}_prepared`;
  await db.orm.em.execute(`create role ${quoted(user)} login password '${password}'`);
  try {
    expect(await ask(urlWith({ user, password }), 'select session_user::text')).toBe(user);
    await expect(ask(urlWith({ user, password: `${password}x` }), '1')).rejects.toThrow(ConnectionError);
  } finally {
    await db.orm.em.execute(`drop role ${quoted(user)}`);
  }
});

describe('a parameter of the URL', () => {
  test('options are sent to the server at the start of each session', async () => {
    const url = urlWith({ options: '-c search_path=lab -c statement_timeout=4711' });

    expect(await ask(url, `current_setting('search_path')`)).toBe('lab');
    expect(await ask(url, `current_setting('statement_timeout')`)).toBe('4711ms');
  });

  test('application_name is the name that the server shows', async () => {
    expect(await ask(urlWith({ applicationName: 'a + b' }), `current_setting('application_name')`)).toBe(
      'a + b',
    );
    expect(await ask(urlWith({}), `current_setting('application_name')`)).toBe('synth-lab-data');
  });

  test.each([
    ['any', true, true],
    ['read-write', true, false],
    ['read-only', false, true],
    ['primary', true, true],
    ['standby', false, false],
    ['prefer-standby', true, true],
  ] as const)(
    'target_session_attrs=%s accepts a primary: %s, a read-only one: %s',
    async (targetSessionAttrs, writes, reads) => {
      const readOnly = { options: '-c default_transaction_read_only=on' };

      const fits = (change: Partial<TargetParts>): Promise<boolean> =>
        ask(urlWith({ targetSessionAttrs, ...change }), 'select 1').then(
          () => true,
          (error: unknown) => !String(error).includes('target_session_attrs'),
        );

      expect(await fits({})).toBe(writes);
      expect(await fits(readOnly)).toBe(reads);
    },
  );
});

describe('a unix socket', () => {
  let directory: string;
  let socket: Server;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'synthdb-socket-'));
    const { host, port } = db.target.parts;
    socket = createServer((client) => {
      const server = host.startsWith('/') ? dial(`${host}/.s.PGSQL.${port}`) : dial(port, host);
      client.pipe(server).pipe(client);
      for (const side of [client, server]) side.on('error', () => {});
    }).listen(join(directory, '.s.PGSQL.5433'));
    await once(socket, 'listening');
  });
  afterAll(async () => {
    socket.close();
    await rm(directory, { recursive: true });
  });

  test.each([
    [
      'as the host, percent-encoded',
      (credentials: string, path: string) =>
        `${credentials}@${encodeURIComponent(path)}:5433/postgres?sslmode=require`,
    ],
    [
      'as a parameter',
      (credentials: string, path: string) =>
        `${credentials}@/postgres?host=${path}&port=5433&sslmode=require`,
    ],
  ])('%s; sslmode does not apply', async (_, url) => {
    const { user, password } = db.target.parts;
    const credentials = [user, password].map(encodeURIComponent).join(':');

    expect(await ask(`postgresql://${url(credentials, directory)}`, 'select 1')).toBe(1);
  });

  test('is reported when it is missing', async () => {
    const url = urlWith({ host: join(directory, 'none') });

    await expect(ask(url, '1')).rejects.toThrow('the socket does not exist (ENOENT)');
  });
});

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
