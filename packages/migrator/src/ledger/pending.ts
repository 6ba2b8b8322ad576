import type { MikroORM } from '@mikro-orm/postgresql';
import { tablesOf } from './tables.ts';
import { migrationFiles } from '../files/migration-files.ts';
import { poolSession } from '../session/session.ts';
import { readLog } from './state.ts';

/** How a database and the code differ in their migrations. */
export interface MigrationGap {
  /** The newest that the database has, by its name; null when it has none. */
  readonly version: string | null;
  /** What the code has and the database has not, oldest first. */
  readonly pending: readonly string[];
  /** What the database has and the code has not: newer code migrated it. */
  readonly unknown: readonly string[];
}

/** How a database and the code differ in their migrations: by their names alone, for a quick look at start. Changes nothing. */
export async function migrationGap(orm: MikroORM): Promise<MigrationGap> {
  const tables = tablesOf(orm, 'migrator');
  const session = poolSession(orm);
  const known = new Set((await migrationFiles(orm)).map(({ name }) => name));
  // Nothing of the migrator's own: a service's role may have no right to see it.
  const [log] = await session.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    tables.log,
  ]);
  const applied = new Set(log?.there ? (await readLog(session, tables)).map(({ name }) => name) : []);
  return {
    version: [...applied].toSorted().at(-1) ?? null,
    pending: [...known].filter((name) => !applied.has(name)),
    unknown: [...applied].filter((name) => !known.has(name)),
  };
}
