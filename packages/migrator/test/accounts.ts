import { Migrator as OrmMigrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';

/** The migrations of a small project, in order. */
export const accountMigrations = [
  'Migration20260101000000_accounts',
  'Migration20260101000100_account_indexes',
  'Migration20260101000200_opening_balance',
  'Migration20260101000300_balance_check',
];

/** Returns the ORM of that project. */
export function accountsOrm(url: string): MikroORM {
  return new MikroORM({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    extensions: [OrmMigrator],
    ensureDatabase: false,
    migrations: {
      path: `${import.meta.dirname}/accounts`,
      allOrNothing: false,
      disableForeignKeys: false,
      snapshot: false,
      silent: true,
    },
    logger: () => {},
  });
}
