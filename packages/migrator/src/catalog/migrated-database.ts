import type { MikroORM } from '@mikro-orm/postgresql';
import type { MigratorTables } from '../ledger/tables.ts';
import { differences, type Difference } from './differences.ts';
import { restorableDifferences } from './restorable-differences.ts';
import { readCatalog, type Catalog } from './catalog.ts';
import type { ServerGuard } from './server-guard.ts';
import type { DownRequest, UpRequest } from '../ledger/requests.ts';

/** A database with its ORM, and how to migrate a scratch database like it. */
export interface MigratedDatabase {
  readonly orm: MikroORM;
  readonly schema: string;
  readonly tables: MigratorTables;
  /** Returns the migrator of a scratch database, which tells the guard the running migration. */
  readonly migratorFor: (scratch: MikroORM, guard?: ServerGuard) => ScratchMigrator;
}

/** A scratch database, and what keeps it from changing its server. */
export interface Scratch {
  readonly scratch: MikroORM;
  readonly guard: ServerGuard;
}

/** Migrates a scratch database. */
interface ScratchMigrator {
  up(request: UpRequest): Promise<unknown>;
  down(request: DownRequest): Promise<unknown>;
  /** Applies migrations in this order, without checks. */
  repeat(names: readonly string[]): Promise<unknown>;
}

/** Returns the differences between a catalog and that of a scratch database after these migrations, applied in this order. */
export async function differencesAfter(
  { schema, migratorFor }: MigratedDatabase,
  { scratch, guard }: Scratch,
  names: readonly string[],
  found: Catalog,
): Promise<readonly Difference[]> {
  if (names.length > 0) await migratorFor(scratch, guard).repeat(names);
  const differing = differences(await readCatalog(scratch, schema), found);
  return restorableDifferences(scratch, schema, found, differing);
}
