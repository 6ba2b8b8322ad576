import type { MikroORM } from '@mikro-orm/postgresql';
import { Migrator } from 'mikro-orm-safe-migrations';

/** Applies what is pending, and gives the names of what it applied. */
export async function migrateUp(orm: MikroORM, to?: string): Promise<string[]> {
  return (await new Migrator(orm).up({ to })).map(({ name }) => name);
}

/** Reverts what was applied last, and gives its name; null when nothing is applied. */
export async function migrateDown(orm: MikroORM): Promise<string | null> {
  return (await new Migrator(orm).down())[0]?.name ?? null;
}
