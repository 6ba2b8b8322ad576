import { Client } from 'pg';
import type { DatabaseTarget } from '../../src/settings/database-url.ts';
import { barrier, concurrently } from '../concurrency/concurrently.ts';
import type { PgBouncer } from '../../packages/migrator/test/kit/pgbouncer.ts';

/** The state of a connection that would affect its next user. */
const state = `
  select 'setting ' || name || ' = ' || setting as found from pg_settings
  -- Poolers keep the name apart for each client. One's own settings can't be unmade, but are empty.
  where name <> 'application_name' and not (name like '%.%' and setting = '')
  union all select 'temporary ' || relname from pg_class where relnamespace = pg_my_temp_schema()
  union all select 'advisory lock ' || objid from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'
  union all select 'prepared ' || name from pg_prepared_statements
  union all select 'cursor ' || name from pg_cursors
  union all select 'listens to ' || channel from pg_listening_channels() channel
  union all select 'role ' || current_user`;

/** Returns the differences of each of the pooler's server connections from a new one. */
export async function leftOn(pooler: PgBouncer, count: number, direct: DatabaseTarget): Promise<string[]> {
  const { host, port, user, password, database } = direct.parts;
  const fresh = new Set(await states({ host, port, user, password, database }, 1));
  const found = await states(pooler.url(), count);
  return found.filter((one) => !fresh.has(one));
}

/** Returns the state of `count` connections at the same time. */
async function states(config: ConstructorParameters<typeof Client>[0], count: number): Promise<string[]> {
  const met = barrier(count);
  const found = await concurrently(count, async () => {
    const client = new Client(config);
    await client.connect();
    try {
      await client.query('begin');
      await met();
      // A new connection has its settings after its first use.
      await client.query('do $$ begin end $$');
      const { rows } = await client.query<{ found: string }>(state);
      await client.query('commit');
      return rows.map((row) => row.found);
    } finally {
      await client.end();
    }
  });
  return found.flat();
}
