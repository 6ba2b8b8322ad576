import type { MikroORM } from '@mikro-orm/postgresql';
import { Migrator } from './migrator.ts';
import { withScratchDatabase } from './scratch-database.ts';

/**
 * Writes a migration that brings the schema from what the migrations make to what the entities say, and returns its path; null
 * when they agree. Compares on a scratch database of the same server, made by the migrations and dropped at the end, so that
 * whatever else the connected database holds does not matter. The role must be allowed to create databases.
 */
export function createMigration(orm: MikroORM, name: string): Promise<string | null> {
  return withScratchDatabase(orm, 'migrator', async (scratch) => {
    await new Migrator(scratch).up();
    const { fileName, diff } = await scratch.migrator.create(undefined, false, false, name);
    if (diff.up.length === 0) return null;
    return `${scratch.config.get('migrations').path}/${fileName}`;
  });
}
