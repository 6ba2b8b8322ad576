import { dim, print, printError } from 'mikro-orm-safe-migrations/cli';
import { relative } from 'node:path';
import { Command } from 'commander';
import { startEmbedded } from '../database/default-target.ts';

/** Returns the command `synthdb db start`. */
export function dbStartCommand(): Command {
  return new Command('start').description('start it, unless it is running').action(async () => {
    const server = await startEmbedded();
    for (const notice of server.notices) printError(dim(notice));
    print(
      `PostgreSQL ${server.major} ${server.started ? 'started' : 'is already running'} on port ${server.port}, files in ${relative('', server.directory)}`,
    );
    print(`Connect with: psql '${server.url}'`);
  });
}
