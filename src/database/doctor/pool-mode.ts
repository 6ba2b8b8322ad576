import { MikroORM } from '@mikro-orm/postgresql';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { ormOptions } from '../../postgres/orm/orm-options.ts';

/** Returns PgBouncer's pool mode for a database, from its console, the database `pgbouncer`; null when this role may not read it. */
export async function readPoolMode(target: DatabaseTarget): Promise<string | null> {
  const options = ormOptions(target.withDatabase('pgbouncer'), {
    pool: { max: 1, acquireTimeout: 2_000 },
  });
  const pool = await new MikroORM(options).em.getConnection().getNativeClient();
  try {
    const databases = await pool.query<{ name: string; pool_mode: string | null }>('show databases');
    const own = databases.rows.find(({ name }) => name === target.parts.database)?.pool_mode;
    if (own != null) return own;
    const settings = await pool.query<{ key: string; value: string }>('show config');
    return settings.rows.find(({ key }) => key === 'pool_mode')?.value ?? null;
  } catch {
    // Another pooler, or a role without access.
    return null;
  } finally {
    // The ORM closes a pool only after its own queries, which the console would not understand.
    await pool.end();
  }
}
