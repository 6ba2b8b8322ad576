import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { userForNewCluster } from '../../src/embedded/system/user-for-new-cluster.ts';
import { DatabaseTarget } from '../../src/settings/database-url.ts';

/** How a pooler shares the server. */
export interface PoolerOptions {
  /** For how long a client keeps the server connection that it was given. */
  readonly poolMode: 'session' | 'transaction' | 'statement';
  /** Connections to the server at most, for each database. Default 20. */
  readonly serverConnections?: number;
  /** Connections more, for each database, once a client has waited for a second. Default 0. */
  readonly reserve?: number;
  /** Clients at most. Default 200. */
  readonly clients?: number;
  /** Seconds after which a server connection that no client has is closed. Default 600. */
  readonly idle?: number;
  /** Whether it adds the client's address to `application_name`. Default false. */
  readonly renames?: boolean;
  /** How clients prove who they are. Default `scram-sha-256`. */
  readonly authType?: 'scram-sha-256' | 'md5' | 'plain';
  /** Which databases clients may ask for: any of the server's, or the one behind it alone. Default `any`. */
  readonly databases?: 'any' | 'one';
  /** Seconds that a client waits for a server connection. Default 120. */
  readonly queryWait?: number;
  /** Whether it shows its clients how it is configured. Default true. */
  readonly isOpen?: boolean;
  /** Which of the server connections that are free is lent next. Default the one that was used last. */
  readonly lends?: 'last' | 'in turn';
}

// Debian keeps it where only root's PATH looks.
const program = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  .map((directory) => join(directory, 'pgbouncer'))
  .find((path) => existsSync(path));

/** Why no pooler can be started here, for a test that is left out then; null when one can. */
export const whyNoPooler = program === undefined ? 'needs PgBouncer: apt-get install pgbouncer' : null;

/** A PgBouncer of a test's own in front of a server. Its databases are the server's, and its users the one that it was given. */
export class PgBouncer implements AsyncDisposable {
  /** The database that it stands before, as clients reach it through the pooler. */
  readonly target: DatabaseTarget;
  readonly #directory: string;
  readonly #user: { uid: number; gid: number } | null;
  #process: ChildProcess | undefined;

  private constructor(target: DatabaseTarget, directory: string, user: { uid: number; gid: number } | null) {
    this.target = target;
    this.#directory = directory;
    this.#user = user;
  }

  /** A pooler on a free port of this machine, that accepts clients. Stop it with `stop()`, or hold it with `await using`. */
  static async start(behind: DatabaseTarget, options: PoolerOptions): Promise<PgBouncer> {
    const target = new DatabaseTarget({ ...behind.parts, host: '127.0.0.1', port: await freePort() });
    const directory = await mkdtemp(join(tmpdir(), 'synth-lab-pooler-'));
    const user = await userForNewCluster();
    const pooler = new PgBouncer(target, directory, user);
    try {
      await writeFile(join(directory, 'pgbouncer.ini'), configuration(behind, target, directory, options));
      const { user: name, password } = behind.parts;
      await writeFile(join(directory, 'users'), `${quoted(name)} ${quoted(password)}\n`);
      // It refuses to run as root, and reads its files itself.
      if (user) {
        for (const path of [directory, join(directory, 'pgbouncer.ini'), join(directory, 'users')]) {
          await chown(path, user.uid, user.gid);
        }
      }
      await chmod(join(directory, 'users'), 0o600);
      await pooler.#launch();
      return pooler;
    } catch (error) {
      await pooler.stop();
      throw error;
    }
  }

  /** The URL of the database, or of another on the same server, through the pooler. */
  url(database = this.target.parts.database): string {
    const { host, port, user, password } = this.target.parts;
    const [name, secret, path] = [user, password, database].map(encodeURIComponent);
    return `postgresql://${name}:${secret}@${host}:${port}/${path}`;
  }

  /** Ends it as a crash does, with every connection to either side, and starts it again on the same port. */
  async restart(): Promise<void> {
    await this.#kill();
    await this.#launch();
  }

  /** Ends it, with every connection to either side. */
  async stop(): Promise<void> {
    await this.#kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #launch(): Promise<void> {
    if (program === undefined) throw new Error(whyNoPooler ?? '');
    const started = spawn(program, [join(this.#directory, 'pgbouncer.ini')], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
      ...this.#user,
    });
    this.#process = started;
    let said = '';
    started.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
    for (let attempt = 0; ; attempt++) {
      const failure = await this.#answers();
      if (failure === null) return;
      if (attempt >= 200 || hasEnded(started)) {
        throw new Error(`PgBouncer does not accept clients:\n${said}`, { cause: failure });
      }
      await setTimeout(25);
    }
  }

  /** What keeps a client from a query; null when nothing does. */
  async #answers(): Promise<Error | null> {
    const client = new Client(this.url());
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('select 1');
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      await client.end().catch(() => {});
    }
  }

  async #kill(): Promise<void> {
    const running = this.#process;
    if (!running || hasEnded(running)) return;
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
  }
}

function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null || pid === undefined;
}

function configuration(
  { parts: { host, port, database } }: DatabaseTarget,
  { parts: at }: DatabaseTarget,
  directory: string,
  {
    poolMode,
    serverConnections = 20,
    reserve = 0,
    clients = 200,
    idle = 600,
    renames = false,
    authType = 'scram-sha-256',
    databases = 'any',
    queryWait = 120,
    isOpen = true,
    lends = 'last',
  }: PoolerOptions,
): string {
  return `
[databases]
${databases === 'any' ? '*' : database} = host=${host} port=${port}
[pgbouncer]
listen_addr = ${at.host}
listen_port = ${at.port}
unix_socket_dir =
auth_type = ${authType}
auth_file = ${join(directory, 'users')}
pool_mode = ${poolMode}
${isOpen ? `stats_users = ${at.user}\n` : ''}default_pool_size = ${serverConnections}
reserve_pool_size = ${reserve}
reserve_pool_timeout = 1
max_client_conn = ${clients}
server_idle_timeout = ${idle}
application_name_add_host = ${renames ? 1 : 0}
query_wait_timeout = ${queryWait}
server_round_robin = ${lends === 'in turn' ? 1 : 0}
`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo; // oxlint-disable-line typescript/no-unsafe-type-assertion -- it listens on a port
  probe.close();
  await once(probe, 'close');
  return port;
}
