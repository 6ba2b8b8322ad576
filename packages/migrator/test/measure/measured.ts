import type { MikroORM } from '@mikro-orm/postgresql';
import { Migrator, type Measurement } from 'mikro-orm-safe-migrations';
import type { MigratedDatabase } from '../../src/catalog/migrated-database.ts';
import { IgnoredObjects } from '../../src/catalog/ignored-objects.ts';
import { tablesOf } from '../../src/ledger/tables.ts';
import { measureMigrations } from '../../src/verify/measure-migrations.ts';
import { TestDatabase } from '../kit/database.ts';
import { projectOn, type Migrations } from '../project.ts';

/** Returns what migrations take on `rows` rows, by their names: all of a chain, or some. */
export async function measure(
  chain: Migrations,
  rows: number,
  names: readonly string[] = Object.keys(chain),
): Promise<ReadonlyMap<string, Measurement>> {
  await using db = await TestDatabase.create();
  const orm = projectOn(db.url, chain);
  try {
    return await measureMigrations(migratedDatabase(orm), { names, order: Object.keys(chain), rows });
  } finally {
    await orm.close(true);
  }
}

function migratedDatabase(orm: MikroORM): MigratedDatabase {
  return {
    orm,
    schema: 'migrator',
    tables: tablesOf(orm, 'migrator'),
    ignored: new IgnoredObjects(undefined),
    scratchUrl: undefined,
    migratorFor: (scratch, guard) => new Migrator(scratch, { onEvent: (event) => guard?.follow(event) }),
  };
}
