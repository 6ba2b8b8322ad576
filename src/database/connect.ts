import { MikroORM } from '@mikro-orm/postgresql';
import type { DatabaseTarget } from '../settings/database-url.ts';
import { ormOptions, type PoolOptions } from './orm-options.ts';
import { toConnectionError } from './translate-error.ts';

/**
 * The ORM on `target`, with a connection that was seen to work.
 *
 * @throws ConnectionError when none can be made; nothing stays open.
 */
export async function connect(target: DatabaseTarget, pool: PoolOptions = {}): Promise<MikroORM> {
  const orm = new MikroORM(ormOptions(target, pool));
  try {
    await orm.em.getConnection().execute('select 1');
    return orm;
  } catch (error) {
    await orm.close(true);
    throw toConnectionError(error, target);
  }
}
