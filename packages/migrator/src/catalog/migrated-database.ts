import type { MikroORM } from '@mikro-orm/postgresql';
import type { Tables } from '../ledger/tables.ts';
import { differences, type Difference } from './differences.ts';
import { restorableDifferences } from './restorable-differences.ts';
import { readCatalog, type Catalog } from './catalog.ts';
import type { DownRequest, UpRequest } from '../ledger/requests.ts';

/** A database, and how to migrate a scratch one like it. */
export interface MigratedDatabase {
  readonly orm: MikroORM;
  readonly schema: string;
  readonly tables: Tables;
  readonly migratorFor: (scratch: MikroORM) => ScratchMigrator;
}

/** Migrates a scratch database. */
interface ScratchMigrator {
  up(request: UpRequest): Promise<unknown>;
  down(request: DownRequest): Promise<unknown>;
  /** Applies these, in this order, whatever is older or newer. */
  repeat(names: readonly string[]): Promise<unknown>;
}

/** How what was found differs from what a scratch database has after these migrations, in this order. */
export async function differencesAfter(
  { schema, migratorFor }: MigratedDatabase,
  scratch: MikroORM,
  names: readonly string[],
  found: Catalog,
): Promise<readonly Difference[]> {
  if (names.length > 0) await migratorFor(scratch).repeat(names);
  const differing = differences(await readCatalog(scratch, schema), found);
  return restorableDifferences(scratch, schema, found, differing);
}
