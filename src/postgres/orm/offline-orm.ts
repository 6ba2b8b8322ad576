import { MikroORM } from '@mikro-orm/postgresql';
import { DatabaseTarget } from '../../settings/database-url.ts';
import { ormOptions } from './orm-options.ts';

/** Creates the ORM without a database, to read the metadata of entities. It opens no connection. */
export function createOfflineOrm(): MikroORM {
  const nowhere = new DatabaseTarget({
    host: 'localhost',
    port: 5432,
    user: 'nobody',
    password: '',
    database: 'none',
    tls: { mode: 'disable' },
  });
  return new MikroORM(ormOptions(nowhere));
}
