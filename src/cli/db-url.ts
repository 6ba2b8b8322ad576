import { Command } from 'commander';
import { say, UsageError } from 'mikro-orm-safe-migrations/cli';
import { startEmbedded } from '../database/default-target.ts';
import { resolveDatabase } from '../settings/resolve-settings.ts';

/** `synthdb db url` */
export function dbUrl(): Command {
  return new Command('url')
    .description('print its URL, password and all, starting it if need be')
    .action(async () => {
      const named = resolveDatabase({}, 'application');
      if (named)
        throw new UsageError(
          `${named.source} names another database, and its URL may hold a secret: read it there`,
        );
      say((await startEmbedded()).url);
    });
}
