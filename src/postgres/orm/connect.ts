import { MikroORM } from '@mikro-orm/postgresql';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { tagStatements } from '../sql/statement-tags.ts';
import { detectPooler } from '../pooler/pooler-mode.ts';
import { ormOptions, type ConnectOptions } from './orm-options.ts';
import { toConnectionError } from '../errors/translate-error.ts';

/**
 * Opens the ORM on `target` and checks a connection. Without `timeouts`, the duration of statements is not limited, as for migrations.
 *
 * @throws SettingsError before anything is opened; ConnectionError when no connection can be made. Nothing stays open.
 */
export async function connect(target: DatabaseTarget, options: ConnectOptions = {}): Promise<MikroORM> {
  const orm = new MikroORM(ormOptions(target, options));
  try {
    await tagStatements('openDatabase', () => detectPooler(orm));
    return orm;
  } catch (error) {
    // The first error is thrown, not one of the closing.
    await orm.close(true).catch(() => {});
    throw toConnectionError(error, target);
  }
}
