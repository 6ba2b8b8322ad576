import { targetFor } from './src/database/default-target.ts';
import { ormOptions } from './src/database/orm-options.ts';

// For the ORM's own command line. It works on the database that `synthdb` works on.
const { target } = await targetFor('migrations');
const options = ormOptions(target);

export default {
  ...options,
  migrations: { ...options.migrations, silent: false },
  logger: (message: string) => console.log(message),
};
