import { Command } from 'commander';
import { migrateCommands, type CommandHost } from 'mikro-orm-safe-migrations/cli';
import { readEnvironmentFile } from '../settings/environment-file.ts';
import { isForDevelopment } from './development.ts';
import { confirmedCommand, inCallersTerms } from './invocation.ts';
import { listMigration } from './list-migration.ts';
import { describePlace, howToConnect, withDatabase, withoutDatabase, type Place } from './with-database.ts';

const confirmationRule = `Going back (down, redo) and baseline ask for the name of the database when it is
not one for development, or when rows or values of columns would be lost. For
development are the embedded one, and on this machine: names with dev, test,
local or scratch in them (shop_dev), and the database of docker-compose.yml;
none is with NODE_ENV=production. A terminal is asked; elsewhere pass
--confirm NAME, or the command ends with 2.`;

/** The commands of the migrator, on the database that `synthdb` works on. */
const host: CommandHost<Place> = {
  name: 'synthdb',
  migrationList: 'src/migrations.ts',
  withDatabase: (work) => withDatabase('migrations', work),
  withoutDatabase,
  describe: describePlace,
  nextStep: howToConnect,
  isForDevelopment: ({ files, host: server }, name) =>
    isForDevelopment(
      { embedded: files !== null, host: server, name },
      { ...readEnvironmentFile([]).values, ...process.env },
    ),
  inCallersTerms,
  confirmedCommand,
  onCreated: listMigration,
};

/** `synthdb migrate` */
export function migrate(): Command {
  const command = new Command('migrate')
    .description('bring the schema of a database forward or back')
    .addHelpText('after', `\n${confirmationRule}`);
  for (const sub of migrateCommands(host)) command.addCommand(sub);
  return command;
}
