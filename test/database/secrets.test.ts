import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/postgres/orm/connect.ts';
import { openDatabase } from '../../src/index.ts';
import { Migrator } from 'mikro-orm-safe-migrations';
import { buildDatabaseUrl, parseDatabaseUrl, type TargetParts } from '../../src/settings/database-url.ts';
import { resolveSettings } from '../../src/settings/resolve-settings.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { synthdb } from '../cli/run.ts';
import { refusedUrls } from '../settings/url-cases.ts';

const password = 'canary#4711';
let db: TestDatabase;
let role: string;
let directory: string;
const servers: Server[] = [];
const opened: Socket[] = [];

beforeAll(async () => {
  db = await TestDatabase.create();
  role = `secret_${db.target.parts.database}`;
  await db.orm.em.execute(`create role "${role}" login password '${password}'`);
  await db.orm.em.execute(`grant select, insert, update on all tables in schema public to "${role}"`);
  await db.orm.em.execute(`revoke all on mikro_orm_migrations from "${role}"`);
  directory = await mkdtemp(join(tmpdir(), 'synthdb-secrets-'));
  await writeFile(join(directory, 'package.json'), '{}');
});
afterAll(async () => {
  for (const socket of opened) socket.destroy();
  for (const server of servers) server.close();
  await db.orm.em.execute(`drop owned by "${role}"`);
  await db.orm.em.execute(`drop role "${role}"`);
  await db.drop();
  await rm(directory, { recursive: true });
});

const urlWith = (change: Partial<TargetParts> = {}): string =>
  buildDatabaseUrl({ ...db.target.parts, user: role, password, ...change });

/** Starts a server that does not behave like PostgreSQL. */
async function serving(answer: (client: Socket) => void): Promise<number> {
  const server = createServer((client) => {
    opened.push(client);
    client.on('error', () => {});
    client.once('data', () => answer(client));
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return (server.address() as AddressInfo).port;
}

const message = (type: string, body: string): Buffer => {
  const text = Buffer.from(body, 'latin1');
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]);
};

/** Returns a value as all printers and serializers show it. */
function shownOf(thing: unknown): string {
  const parts = [inspect(thing, { depth: 8 }), String(thing)];
  for (let error = thing; error instanceof Error; error = error.cause) {
    parts.push(error.message, error.stack ?? '', inspect(Object.entries(error), { depth: 8 }));
  }
  try {
    parts.push(JSON.stringify(thing) ?? '');
  } catch {
    // It is cyclic; loggers fail on it too.
  }
  return parts.join('\n');
}

/** The ways in which a connection may fail. */
async function unreachable(): Promise<Record<string, string>> {
  const refused = `SFATAL\0VFATAL\0C28P01\0Mno\0\0`;
  const answers: Record<string, (client: Socket) => void> = {
    silent: () => {},
    ends: (client) => client.end(),
    resets: (client) => client.resetAndDestroy(),
    'speaks HTTP': (client) => client.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    'has no TLS': (client) => client.end('N'),
    'has broken TLS': (client) => {
      client.write('S');
      client.once('data', () => client.end('what?'));
    },
    'asks for a clear password and refuses': (client) => {
      client.write(message('R', '\0\0\0\x03'));
      client.once('data', () => client.end(message('E', refused)));
    },
    'asks for an MD5 password and refuses': (client) => {
      client.write(message('R', '\0\0\0\x05salt'));
      client.once('data', () => client.end(message('E', refused)));
    },
    'asks for an unknown SASL': (client) => client.write(message('R', '\0\0\0\x0aNONE\0\0')),
    'answers SASL with nonsense': (client) => {
      client.write(message('R', '\0\0\0\x0aSCRAM-SHA-256\0\0'));
      client.once('data', () => client.end(message('R', '\0\0\0\x0br=nonsense')));
    },
    'says nonsense': (client) => client.end(message('Z', 'I').fill(0xff)),
  };
  const urls: Record<string, string> = {
    'nothing listens': urlWith({ port: 1 }),
    'no such host': urlWith({ host: 'no-such-host.invalid' }),
    'no such socket': urlWith({ host: directory }),
    'wrong password': urlWith({ password: `${password}, wrong` }),
    'no such role': urlWith({ user: 'nobody_of_this_name' }),
    'no such database': urlWith({ database: 'no_such_database' }),
    'no such setting': urlWith({ options: '-c no_such_setting=1' }),
    'not a standby': urlWith({ targetSessionAttrs: 'standby' }),
    'not read-only': urlWith({ targetSessionAttrs: 'read-only' }),
  };
  for (const [name, answer] of Object.entries(answers)) {
    const port = await serving(answer);
    for (const mode of name.includes('TLS') ? (['prefer', 'require'] as const) : (['disable'] as const)) {
      urls[`${name}, ${mode}`] = urlWith({ host: '127.0.0.1', port, tls: { mode }, connectTimeout: 1 });
    }
  }
  // It continues in clear text with a server that has no TLS.
  delete urls['has no TLS, prefer'];
  return urls;
}

/** Statements that PostgreSQL refuses. */
const statements = [
  'select 1 / 0',
  'selec 1',
  'select * from no_such_table',
  'select no_such_column from experiments',
  'select no_such_function()',
  `select 'x'::int`,
  `select '2026-02-30'::date`,
  `select '{'::jsonb`,
  'select 99999999999::int',
  'select pg_terminate_backend(pg_backend_pid())',
  `select pg_read_file('/etc/hostname')`,
  'set local statement_timeout = 1; select pg_sleep(9)',
  'delete from experiments',
  'drop table experiments',
  'create table nope (a int)',
  'create role nope superuser',
  'set role postgres',
  'insert into experiments (id) values (null)',
  `insert into experiments (id, name) values ('x', repeat('x', 1000))`,
  `insert into interview_guides (experiment_id) values ('nowhere')`,
  'savepoint a; release savepoint b',
  'rollback to savepoint nowhere',
  'do $$ begin raise exception $x$of our own$x$; end $$',
  `select * from generate_series(1, 2) as x where x = (select y from generate_series(1, 2) as y)`,
  'select lo_get(4711)',
  `copy experiments from program 'true'`,
  'listen a; notify a, repeat($$x$$, 9000)',
  'declare c cursor for select 1; fetch absolute -1 from d',
  'alter system set work_mem = 1',
  'lock table pg_authid',
];

test('no output of 200 provoked errors has the password', { timeout: 120_000 }, async () => {
  const outputs = new Map<string, string>();
  const note = (how: string, output: unknown): void => void outputs.set(how, shownOf(output));
  const unprovoked: string[] = [];
  const provoke = async (how: string, work: () => unknown): Promise<void> => {
    try {
      await work();
      unprovoked.push(how);
    } catch (error) {
      note(how, error);
    }
  };

  // Settings
  for (const [index, [url]] of refusedUrls.entries()) {
    await provoke(`URL ${index}`, () => parseDatabaseUrl(url, 'DATABASE_URL'));
    await provoke(`variable ${index}`, () =>
      resolveSettings(
        {},
        { DATABASE_URL: url || ' :', POSTGRES_SSL_MODE: 'wrong', DATABASE_POOL_MODE: `${url} ://` },
      ),
    );
  }
  // Connecting
  const ways = Object.entries(await unreachable());
  await Promise.all(
    ways.flatMap(([how, url]) => [
      provoke(`${how}, at connecting`, () => connect(parseDatabaseUrl(url, 'url'), { pool: { max: 1 } })),
      provoke(`${how}, at opening`, () => openDatabase({ url })),
    ]),
  );
  await provoke('a role that may not look at migrations', () => openDatabase({ url: urlWith() }));
  // Working
  await using database = await openDatabase({
    url: urlWith(),
    schemaBehind: 'ignore',
    schemaAhead: 'ignore',
  });
  for (const [index, statement] of statements.entries()) {
    await provoke(`statement ${index}`, () => database.transact(({ em }) => em.execute(statement)));
    await provoke(`statement ${index}, by the driver`, () =>
      database.transact(async ({ em }) => {
        const pool = await em.getConnection().getNativeClient();
        await pool.query(`begin; ${statement}; rollback`);
      }),
    );
  }
  await provoke('a row that is not there', () =>
    database.read(({ experiments }) => experiments.get('exp_none')),
  );
  const direct = await connect(parseDatabaseUrl(urlWith(), 'url'));
  await provoke('a migrator without rights', () => new Migrator(direct).up({ to: 'no_such_migration' }));
  await provoke('a migrator that goes down', () => new Migrator(direct).down());
  await direct.close(true);
  note('the database itself', database);
  note('its target', parseDatabaseUrl(urlWith(), 'url'));
  // Commands
  const commands = [
    'migrate up --json',
    'migrate down --json',
    'migrate status --json',
    'demo --json',
    'db url',
    'config --json',
  ];
  await Promise.all(
    commands.flatMap((command) =>
      [urlWith(), urlWith({ port: 1 }), 'postgresql://ann:canary#4711@db/lab'].map(async (url, index) => {
        note(
          `synthdb ${command}, ${index}`,
          await synthdb(command.split(' '), directory, { DATABASE_URL: url }),
        );
      }),
    ),
  );

  expect(unprovoked).toEqual([]);
  expect(outputs.size).toBeGreaterThan(200);
  expect(
    [...outputs]
      .filter(([, output]) => /canary|4711'/.test(output))
      .map(([how, output]) => [how, /.{0,80}canary.{0,20}/.exec(output)?.[0]]),
  ).toEqual([]);
});
