import { Client } from 'pg';
import type { DatabaseTarget } from '../../src/settings/database-url.ts';
import { meeting, together } from '../concurrency/together.ts';
import type { PgBouncer } from '../../packages/migrator/test/kit/pgbouncer.ts';

/** What a connection has that a later user of it would meet. */
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

/** What was left on each of the pooler's server connections, which all are looked at: what a fresh one has not. */
export async function leftOn(pooler: PgBouncer, count: number, direct: DatabaseTarget): Promise<string[]> {
  const { host, port, user, password, database } = direct.parts;
  const fresh = new Set(await states({ host, port, user, password, database }, 1));
  const found = await states(pooler.url(), count);
  return found.filter((one) => !fresh.has(one));
}

/** The state of `count` connections at the same time. */
async function states(config: ConstructorParameters<typeof Client>[0], count: number): Promise<string[]> {
  const met = meeting(count);
  const found = await together(count, async () => {
    const client = new Client(config);
    await client.connect();
    try {
      await client.query('begin');
      await met();
      // Whose settings are there once it has been used.
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
