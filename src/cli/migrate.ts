import { Command } from 'commander';
import { migrateCommands, type CommandHost } from 'mikro-orm-safe-migrations/cli';
import { readEnvironmentFile } from '../settings/environment-file.ts';
import { commandWithConfirmation, toInvocationTerms } from './invocation.ts';
import { isForDevelopment } from './is-for-development.ts';
import {
  connectHint,
  describeDatabase,
  withDatabase,
  withUnconnectedOrm,
  type DatabaseInfo,
} from './connection/with-database.ts';

const confirmationRule = `down, redo and baseline require the name of the database as confirmation unless it
is a development database, and when rows or column values would be lost.
Development databases are the embedded one and, on this machine, those with dev,
test, local or scratch in their names (shop_dev) and that of docker-compose.yml;
none with NODE_ENV=production. On a terminal the command prompts; elsewhere pass
--confirm NAME, or it exits with 2.`;

/** The commands of the migrator, on the database that `synthdb` works on. */
const host: CommandHost<DatabaseInfo> = {
  name: 'synthdb',
  migrationList: 'src/migrations.ts',
  withDatabase: (work) => withDatabase('migrations', work),
  withoutDatabase: withUnconnectedOrm,
  describe: describeDatabase,
  nextStep: connectHint,
  isForDevelopment: ({ files, host: server }, name) =>
    isForDevelopment(
      { embedded: files !== null, host: server, name },
      { ...readEnvironmentFile([]).values, ...process.env },
    ),
  formatMessage: toInvocationTerms,
  confirmedCommand: commandWithConfirmation,
  onCreated: async (paths, replaces) =>
    (await import('./add-migration-to-list.ts')).addMigrationsToList(paths, replaces),
};

/** Returns the command `synthdb migrate`. */
export function migrateCommand(): Command {
  const command = new Command('migrate')
    .description('apply, revert and check migrations')
    .addHelpText('after', `\n${confirmationRule}`);
  for (const sub of migrateCommands(host)) command.addCommand(sub);
  return command;
}
