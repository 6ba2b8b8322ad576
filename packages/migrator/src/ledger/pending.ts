import type { MikroORM } from '@mikro-orm/postgresql';
import { tablesOf } from './tables.ts';
import { migrationFiles } from '../files/migration-files.ts';
import { textOf } from '../files/migration-text.ts';
import { optionalIn } from '../files/optional.ts';
import { poolSession } from '../session/session.ts';
import { refusePartialTables } from './refuse-partial-tables.ts';
import { readLog } from './log.ts';

/** The difference between the migrations of a database and of the code. */
export interface MigrationGap {
  /** The newest applied migration, by its name; null when none is applied. */
  readonly version: string | null;
  /** Migrations that are not applied, oldest first; without optional ones, which no code needs. */
  readonly pending: readonly string[];
  /** Applied migrations that the code lacks: newer code migrated the database. */
  readonly unknown: readonly string[];
}

/**
 * Compares the migrations of a database and of the code by their names, fast enough for each start of a service. Changes nothing.
 *
 * @throws MigrationRefusedError when the log may hide rows from this role, or an optional migration declares no reason.
 */
export async function migrationGap(orm: MikroORM): Promise<MigrationGap> {
  const tables = tablesOf(orm, 'migrator');
  const session = poolSession(orm);
  const files = await migrationFiles(orm);
  const known = new Set(files.map(({ name }) => name));
  // Only the log: a service's role may lack privileges on the migrator's own tables.
  const [log] = await session.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    tables.log,
  ]);
  if (log?.there) await refusePartialTables(session, { log: tables.log });
  const applied = new Set(log?.there ? (await readLog(session, tables)).map(({ name }) => name) : []);
  const pending: string[] = [];
  for (const file of files.filter(({ name }) => !applied.has(name)))
    if ((await optionalIn(file, await textOf(file))) === null) pending.push(file.name);
  return {
    version: [...applied].toSorted().at(-1) ?? null,
    pending,
    unknown: [...applied].filter((name) => !known.has(name)),
  };
}
