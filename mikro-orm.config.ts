import { targetOrEmbedded } from './src/database/default-target.ts';
import { ormOptions } from './src/database/orm-options.ts';

// For the ORM's own command line. It works where `synthdb` works: on the database of the settings, else the embedded one.
const { target } = await targetOrEmbedded({}, 'migrations');
const options = ormOptions(target);

export default {
  ...options,
  migrations: { ...options.migrations, silent: false },
  logger: (message: string) => console.log(message),
};
