import { join } from 'node:path';
import { TSMigrationGenerator } from '@mikro-orm/migrations';
import type { Options } from '@mikro-orm/postgresql';
import { addMigrationsToList } from './src/cli/add-migration-to-list.ts';
import { targetFor } from './src/database/default-target.ts';
import { ormOptions } from './src/postgres/orm/orm-options.ts';

// The configuration of the ORM's command line, for the database that `synthdb migrate` uses.
const { target } = await targetFor('migrations');
const options = ormOptions(target);

/** Adds the file that `migration:create` writes to `src/migrations.ts`, unless another path is given. */
class ListingGenerator extends TSMigrationGenerator {
  override async generate(
    ...[difference, path, name]: Parameters<TSMigrationGenerator['generate']>
  ): Promise<[code: string, file: string]> {
    const [code, file] = await super.generate(difference, path, name);
    if (path === undefined)
      await addMigrationsToList([join(import.meta.dirname, 'src/migrations', file)], []);
    return [code, file];
  }
}

const configuration: Options = {
  ...options,
  // The ORM's command line looks for the name `default`.
  contextName: 'default',
  migrations: { ...options.migrations, silent: false, generator: ListingGenerator },
  logger: (message: string) => console.log(message),
};

export default configuration;
