import { join } from 'node:path';
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import type { TestDatabase } from './kit/database.ts';

/** The root of the repository, whose packages a project in a temporary directory uses. */
export const repository = join(import.meta.dirname, '../../..');

/** Returns the ORM of a project in `directory`, on the database of `db`. */
export function projectIn(
  directory: string,
  db: TestDatabase,
  entities: NonNullable<Options['entities']>,
  migrations: Options['migrations'] = {},
  preferTs = true,
): MikroORM {
  return new MikroORM({
    clientUrl: db.url,
    baseDir: directory,
    preferTs,
    entities,
    discovery: { warnWhenNoEntities: false },
    migrations: { path: 'migrations', snapshot: false, ...migrations },
  });
}
