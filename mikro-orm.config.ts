import { join } from 'node:path';
import { TSMigrationGenerator } from '@mikro-orm/migrations';
import { listMigration } from './src/cli/list-migration.ts';
import { targetFor } from './src/database/default-target.ts';
import { ormOptions } from './src/postgres/orm/orm-options.ts';

// For the ORM's own command line. It works on the database that `synthdb` works on.
const { target } = await targetFor('migrations');
const options = ormOptions(target);

/** Lists what `migration:create` writes, unless it is written elsewhere. */
class ListingGenerator extends TSMigrationGenerator {
  override async generate(
    ...[difference, path, name]: Parameters<TSMigrationGenerator['generate']>
  ): Promise<[code: string, file: string]> {
    const [code, file] = await super.generate(difference, path, name);
    if (path === undefined) await listMigration(join(import.meta.dirname, 'src/migrations', file));
    return [code, file];
  }
}

export default {
  ...options,
  // Under another name, the ORM's command line would not find it.
  contextName: 'default',
  migrations: { ...options.migrations, silent: false, generator: ListingGenerator },
  logger: (message: string) => console.log(message),
};
