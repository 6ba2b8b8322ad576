import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort, urlOf, type Target } from './server.ts';

/** The configuration of a pooler. */
export interface PoolerOptions {
  /** For how long a client keeps its server connection. */
  readonly poolMode: 'session' | 'transaction' | 'statement';
  /** The maximum number of connections to the server, for each database. Default 20. */
  readonly serverConnections?: number;
  /** Additional connections for each database once a client has waited for a second. Default 0. */
  readonly reserve?: number;
  /** The maximum number of clients. Default 200. */
  readonly clients?: number;
  /** Seconds after which an unused server connection is closed. Default 600. */
  readonly idle?: number;
  /** Whether it adds the client's address to `application_name`. Default false. */
  readonly renames?: boolean;
  /** How clients authenticate. Default `scram-sha-256`. */
  readonly authType?: 'scram-sha-256' | 'md5' | 'plain';
  /** Which databases clients may connect to: any of the server's, or only the one of the target. Default `any`. */
  readonly databases?: 'any' | 'one';
  /** Seconds that a client waits for a server connection. Default 120. */
  readonly queryWait?: number;
  /** How many prepared statements of clients it keeps for each server connection, which needs PgBouncer 1.24. Default none. */
  readonly preparedStatements?: number;
  /** Whether clients may read its configuration. Default true. */
  readonly isOpen?: boolean;
  /** The free server connection that is assigned next. Default the one that was used last. */
  readonly assigns?: 'last' | 'in turn';
}

// Debian installs it in a directory of root's PATH only.
const [program, newProgram] = ['pgbouncer', 'pgbouncer-1.24'].map((name) =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path)),
);

/** Why no pooler can be started here, for a skipped test; null when one can. */
export const whyNoPooler = program === undefined ? 'needs PgBouncer: apt-get install pgbouncer' : null;
/** Why no pooler with `preparedStatements` can be started here; null when one can. */
export const whyNoKeepingPooler =
  newProgram === undefined ? 'needs PgBouncer 1.24: .ci/install-pgbouncer' : null;

/** A PgBouncer of one test in front of a server. It has the databases of the server, and one user. */
export class PgBouncer implements AsyncDisposable {
  /** The database, as clients reach it through the pooler. */
  readonly target: Target;
  readonly #program: string | undefined;
  readonly #directory: string;
  readonly #user: { uid: number; gid: number } | null;
  #process: ChildProcess | undefined;

  private constructor(
    target: Target,
    used: string | undefined,
    directory: string,
    user: { uid: number; gid: number } | null,
  ) {
    this.target = target;
    this.#program = used;
    this.#directory = directory;
    this.#user = user;
  }

  /** Starts a pooler on a free port of this machine, and waits until it accepts clients. Stop it with `stop()`, or `await using`. */
  static async start(behind: Target, options: PoolerOptions): Promise<PgBouncer> {
    const target = { parts: { ...behind.parts, host: '127.0.0.1', port: await freePort() } };
    const directory = await mkdtemp(join(tmpdir(), 'pgbouncer-'));
    const user = unprivilegedUser();
    const pooler = new PgBouncer(
      target,
      options.preparedStatements === undefined ? program : newProgram,
      directory,
      user,
    );
    try {
      await writeFile(join(directory, 'pgbouncer.ini'), configuration(behind, target, directory, options));
      const { user: name, password } = behind.parts;
      await writeFile(join(directory, 'users'), `${quoted(name)} ${quoted(password)}\n`);
      // It refuses to run as root, so the other user must own its files.
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

  /** Returns the URL of the database, or of another on the same server, through the pooler. */
  url(database = this.target.parts.database): string {
    return urlOf(this.target, database);
  }

  /** Kills it, which closes every connection to either side, and starts it again on the same port. */
  async restart(): Promise<void> {
    await this.#kill();
    await this.#launch();
  }

  /** Kills it, which closes every connection to either side. */
  async stop(): Promise<void> {
    await this.#kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #launch(): Promise<void> {
    if (this.#program === undefined) throw new Error(whyNoPooler ?? whyNoKeepingPooler ?? '');
    const started = spawn(this.#program, [join(this.#directory, 'pgbouncer.ini')], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
      ...this.#user,
    });
    this.#process = started;
    let output = '';
    started.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-2_000)));
    for (let attempt = 0; ; attempt++) {
      const failure = await this.#failureOfQuery();
      if (failure === null) return;
      if (attempt >= 200 || hasEnded(started)) {
        throw new Error(`PgBouncer does not accept clients:\n${output}`, { cause: failure });
      }
      await setTimeout(25);
    }
  }

  /** Returns why a client can't query; null when it can. */
  async #failureOfQuery(): Promise<Error | null> {
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
  { parts: { host, port, database } }: Target,
  { parts: at }: Target,
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
    assigns = 'last',
    preparedStatements,
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
server_round_robin = ${assigns === 'in turn' ? 1 : 0}
${preparedStatements === undefined ? '' : `max_prepared_statements = ${preparedStatements}\n`}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** Returns the user that PgBouncer runs as where this process is root, which it refuses to be; null elsewhere. */
function unprivilegedUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const [, uid, gid] =
    /^(?:postgres|nobody):[^:]*:(\d+):(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
  return { uid: Number(uid ?? 65_534), gid: Number(gid ?? 65_534) };
}
