import { print, UsageError } from 'mikro-orm-safe-migrations/cli';
import { Command } from 'commander';
import { startEmbedded } from '../database/default-target.ts';
import { resolveDatabase } from '../settings/resolve-settings.ts';

/** Returns the command `synthdb db url`. */
export function dbUrlCommand(): Command {
  return new Command('url')
    .description('print its URL with the password; starts it if needed')
    .action(async () => {
      const named = resolveDatabase({}, 'application');
      if (named)
        throw new UsageError(
          `${named.source} is set to another database, whose URL may contain a secret; read it from ${named.source}`,
        );
      print((await startEmbedded()).url);
    });
}
