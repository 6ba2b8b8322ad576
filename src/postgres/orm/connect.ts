import { MikroORM } from '@mikro-orm/postgresql';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { detectPooler } from '../pooler/pooler-mode.ts';
import { ormOptions, type ConnectOptions } from './orm-options.ts';
import { toConnectionError } from '../errors/translate-error.ts';

/**
 * The ORM on `target`, with a connection that was seen to work. Without `timeouts` a statement may take as long as it likes, as those of
 * migrations do.
 *
 * @throws SettingsError before anything is opened; ConnectionError when no connection can be made. Nothing stays open.
 */
export async function connect(target: DatabaseTarget, options: ConnectOptions = {}): Promise<MikroORM> {
  const orm = new MikroORM(ormOptions(target, options));
  try {
    await detectPooler(orm);
    return orm;
  } catch (error) {
    // Why it failed matters, not what came after.
    await orm.close(true).catch(() => {});
    throw toConnectionError(error, target);
  }
}
