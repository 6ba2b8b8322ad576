import { confirmName, print, UsageError } from 'mikro-orm-safe-migrations/cli';
import { Command } from 'commander';
import { embeddedDirectory } from '../database/default-target.ts';
import { EmbeddedPostgres } from '../embedded/index.ts';
import { Migrator } from 'mikro-orm-safe-migrations';
import { resolveDatabase } from '../settings/resolve-settings.ts';
import { commandWithConfirmation } from './invocation.ts';
import { printConnectHint, printDatabase, withEmbeddedDatabase } from './connection/with-database.ts';

/** Returns the command `synthdb db reset`. */
export function dbResetCommand(): Command {
  return new Command('reset')
    .description('delete it with all its data, and create a new, migrated one')
    .option('--confirm <name>', 'the name of its database, synthlab')
    .action(async ({ confirm }: { confirm?: string }) => {
      const named = resolveDatabase({}, 'migrations');
      if (named)
        throw new UsageError(
          `${named.source} is ${named.target.label}, and only the embedded database can be reset; unset ${named.source}, or set it to "embedded"`,
        );
      // Asks always: a stopped or broken server can't be checked for data.
      await confirmName(
        { confirmedCommand: commandWithConfirmation },
        {
          // The name of the embedded database.
          name: 'synthlab',
          database: 'the embedded database',
          does: 'deletes the embedded server',
          why: 'will lose all its data',
        },
        confirm,
      );
      await EmbeddedPostgres.remove({ directory: embeddedDirectory() });
      await withEmbeddedDatabase(async (orm, info) => {
        const applied = await new Migrator(orm).up();
        printDatabase(info);
        print(`Created, ${applied.length} migrations applied.`);
        printConnectHint(info);
      });
    });
}
