import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Migrator } from 'mikro-orm-safe-migrations';
import { Client } from 'pg';
import { EmbeddedPostgres } from '../../../src/embedded/index.ts';
import { connect } from '../../../src/postgres/orm/connect.ts';
import { requestedMajor } from '../../../src/testing/start-test-server.ts';
import { parseDatabaseUrl } from '../../../src/settings/database-url.ts';

/** A migrated database on a server with `pg_stat_statements`, and a connection of a superuser. */
export interface CountingServer {
  readonly url: string;
  readonly client: Client;
  stop(): Promise<void>;
}

/** Starts a server of the run's version of PostgreSQL. */
export async function startCountingServer(): Promise<CountingServer> {
  const parent = await mkdtemp(join(tmpdir(), 'synthdb-counting-'));
  await chmod(parent, 0o755);
  const directory = join(parent, 'postgres');
  const { url } = await EmbeddedPostgres.start({
    directory,
    major: requestedMajor(process.env),
    settings: { fsync: 'off', shared_preload_libraries: 'pg_stat_statements' },
  });
  const orm = await connect(parseDatabaseUrl(url, 'url'));
  await new Migrator(orm).up();
  await orm.close(true);
  const client = new Client(url);
  await client.connect();
  return {
    url,
    client,
    stop: async () => {
      await client.end();
      await EmbeddedPostgres.remove({ directory });
      await rm(parent, { recursive: true, force: true });
    },
  };
}
