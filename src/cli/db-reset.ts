import { Command } from 'commander';
import { embeddedDirectory } from '../database/default-target.ts';
import { EmbeddedPostgres } from '../embedded/index.ts';
import { Migrator } from 'mikro-orm-safe-migrations';
import { confirmName, say, UsageError } from 'mikro-orm-safe-migrations/cli';
import { resolveDatabase } from '../settings/resolve-settings.ts';
import { confirmedCommand } from './invocation.ts';
import { howToConnect, describePlace, withEmbedded } from './with-database.ts';

/** `synthdb db reset` */
export function dbReset(): Command {
  return new Command('reset')
    .description('delete it with all its data, and make it anew, migrated')
    .option('--confirm <name>', 'the name of its database, synthlab')
    .action(async ({ confirm }: { confirm?: string }) => {
      const named = resolveDatabase({}, 'migrations');
      if (named)
        throw new UsageError(
          `${named.source} names ${named.target.label}; only the embedded database is reset`,
        );
      // It may be stopped, or too broken to start: whether it holds rows is not looked at.
      await confirmName(
        { confirmedCommand },
        {
          // As the embedded server calls it.
          name: 'synthlab',
          database: 'the embedded database',
          does: 'deletes the embedded server',
          why: 'loses all its data',
        },
        confirm,
      );
      await EmbeddedPostgres.remove({ directory: embeddedDirectory() });
      await withEmbedded(async (orm, place) => {
        const applied = await new Migrator(orm).up();
        say(describePlace(place));
        say(`Made anew, ${applied.length} migrations applied.`);
        say(howToConnect(place));
      });
    });
}
