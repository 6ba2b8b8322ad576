import { Command } from 'commander';
import { targetOrEmbedded } from '../database/default-target.ts';
import { say } from './output.ts';
import { UsageError } from './usage-error.ts';

/** `synthdb db url` */
export function dbUrl(): Command {
  return new Command('url')
    .description('print its URL, password and all, starting it if need be')
    .action(async () => {
      const { embedded, source } = await targetOrEmbedded({}, 'application');
      if (!embedded)
        throw new UsageError(
          `${source} names another database, and its URL may hold a secret: read it there`,
        );
      say(embedded.url);
    });
}
