import { cp, mkdtemp, readdir, chmod, mkdir, rm, writeFile, chown, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { connect } from '../../../src/postgres/orm/connect.ts';
import { EmbeddedPostgres } from '../../../src/embedded/index.ts';
import { Migrator } from 'mikro-orm-safe-migrations';
import { parseDatabaseUrl } from '../../../src/settings/database-url.ts';
import { requestedMajor } from '../../../src/testing/start-test-server.ts';

const fragile = { fsync: 'off', full_page_writes: 'off' };

/** A migrated primary, and a hot standby that streams from it; both embedded. */
export class StreamingPair {
  readonly #parent: string;
  #primary: EmbeddedPostgres;
  #replica: EmbeddedPostgres;

  private constructor(parent: string, primary: EmbeddedPostgres, replica: EmbeddedPostgres) {
    this.#parent = parent;
    this.#primary = primary;
    this.#replica = replica;
  }

  static async start(): Promise<StreamingPair> {
    const parent = await mkdtemp(join(tmpdir(), 'synthdb-pair-'));
    await chmod(parent, 0o755);
    const primary = await EmbeddedPostgres.start({ ...at(parent, 'primary'), settings: fragile });
    await migrate(primary.url);
    await copy(primary, join(parent, 'replica'));
    return new StreamingPair(parent, primary, await standby(parent, primary));
  }

  get primaryUrl(): string {
    return this.#primary.url;
  }

  get replicaUrl(): string {
    return this.#replica.url;
  }

  /** Makes the replica receive the log, but not replay it. */
  async pause(): Promise<void> {
    await ask(this.replicaUrl, 'select pg_wal_replay_pause()');
  }

  async resume(): Promise<void> {
    await ask(this.replicaUrl, 'select pg_wal_replay_resume()');
  }

  async stopReplica(): Promise<void> {
    await this.#replica.stop();
  }

  /** Starts it on its previous port. */
  async startReplica(): Promise<void> {
    this.#replica = await standby(this.#parent, this.#primary);
  }

  async stopPrimary(): Promise<void> {
    await this.#primary.stop();
  }

  async startPrimary(): Promise<void> {
    this.#primary = await EmbeddedPostgres.start({ ...at(this.#parent, 'primary'), settings: fragile });
  }

  async remove(): Promise<void> {
    for (const name of ['replica', 'primary']) await EmbeddedPostgres.remove(at(this.#parent, name));
    await rm(this.#parent, { recursive: true, force: true });
  }
}

/** Returns the rows of one statement, on a separate connection. */
export async function ask(url: string, sql: string): Promise<QueryResultRow[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query<QueryResultRow>(sql)).rows;
  } finally {
    await client.end();
  }
}

function at(parent: string, name: string) {
  return {
    directory: join(parent, name),
    major: requestedMajor(process.env),
    binaries: join(import.meta.dirname, '../../../.data/binaries'),
  };
}

function standby(parent: string, primary: EmbeddedPostgres): Promise<EmbeddedPostgres> {
  const { host, port, user, password } = parseDatabaseUrl(primary.url, 'url').parts;
  return EmbeddedPostgres.start({
    ...at(parent, 'replica'),
    settings: {
      ...fragile,
      primary_conninfo: `host=${host} port=${port} user=${user} password=${password}`,
      wal_retrieve_retry_interval: '100ms',
    },
  });
}

async function migrate(url: string): Promise<void> {
  const orm = await connect(parseDatabaseUrl(url, 'url'));
  await new Migrator(orm).up();
  await orm.close();
}

/** Makes a base backup by hand, because the binaries have no `pg_basebackup`. */
async function copy({ url, directory, major }: EmbeddedPostgres, to: string): Promise<void> {
  const from = join(directory, 'cluster');
  const cluster = join(to, 'cluster');
  const client = new Client(url);
  await client.connect();
  const [start, stop] =
    major >= 15
      ? [`pg_backup_start('replica', true)`, 'pg_backup_stop(false)']
      : [`pg_start_backup('replica', true, false)`, 'pg_stop_backup(false, false)'];
  await client.query(`select ${start}`);
  await mkdir(to, { recursive: true });
  const left = /\/data\/(?:postmaster\.(?:pid|opts)|pg_wal\/.+|pg_replslot\/.+|pg_stat_tmp\/.+)$/;
  await cp(from, cluster, { recursive: true, filter: (path) => !left.test(path) });
  const { rows } = await client.query<{ labelfile: string }>(`select * from ${stop}`);
  await client.end();
  const data = join(cluster, 'data');
  await writeFile(join(data, 'backup_label'), rows[0]?.labelfile ?? '');
  await writeFile(join(data, 'standby.signal'), '');
  // A copy that root made belongs to root, and PostgreSQL starts only as the owner of its files.
  const { uid, gid } = await stat(join(from, 'data'));
  await chown(data, uid, gid);
  for (const name of await readdir(data, { recursive: true })) await chown(join(data, name), uid, gid);
  await chmod(data, 0o700);
}
