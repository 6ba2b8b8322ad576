import type { MikroORM, Options } from '@mikro-orm/postgresql';
import { onTestFinished } from 'vitest';
import { Migrator, type MigratorOptions } from 'mikro-orm-safe-migrations';
import { TestServer, type TestDatabase } from '../../../src/testing/index.ts';
import { projectOn, type Migrations } from './project.ts';

/** A database with nothing in it, dropped after the test. */
export async function emptyDatabase(): Promise<TestDatabase> {
  const db = await TestServer.shared().createEmptyDatabase();
  onTestFinished(() => db.drop());
  return db;
}

/** Somebody's project on a test's database, closed after the test. */
export function ormOn(
  { url }: { readonly url: string },
  migrations: Migrations,
  options?: Options,
): MikroORM {
  const orm = projectOn(url, migrations, options);
  onTestFinished(() => orm.close(true));
  return orm;
}

/** The migrator of somebody's project on a test's database. */
export function migratorOn(
  db: { readonly url: string },
  migrations: Migrations,
  options?: MigratorOptions,
): Migrator {
  return new Migrator(ormOn(db, migrations), options);
}
