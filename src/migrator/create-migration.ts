import { randomBytes } from 'node:crypto';
import { MikroORM } from '@mikro-orm/postgresql';
import { Migrator } from './migrator.ts';

/**
 * Writes a migration that brings the schema from what the migrations make to what the entities say, and returns its path; null
 * when they agree. Compares on a scratch database of the same server, made by the migrations and dropped at the end, so that
 * whatever else the connected database holds does not matter. The role must be allowed to create databases.
 */
export async function createMigration(orm: MikroORM, name: string): Promise<string | null> {
  const connection = orm.em.getConnection();
  const scratch = `migrator_scratch_${randomBytes(6).toString('hex')}`;
  await connection.execute(`create database "${scratch}" template template0`);
  try {
    const compared = new MikroORM({ ...orm.config.getAll(), dbName: scratch });
    try {
      await new Migrator(compared).up();
      const { fileName, diff } = await compared.migrator.create(undefined, false, false, name);
      if (diff.up.length === 0) return null;
      return `${compared.config.get('migrations').path}/${fileName}`;
    } finally {
      await compared.close(true);
    }
  } finally {
    await connection.execute(`drop database "${scratch}" with (force)`);
  }
}
