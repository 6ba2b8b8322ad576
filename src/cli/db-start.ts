import { relative } from 'node:path';
import { Command } from 'commander';
import { dim, say, sayError } from 'mikro-orm-safe-migrations/cli';
import { startEmbedded } from '../database/default-target.ts';

/** `synthdb db start` */
export function dbStart(): Command {
  return new Command('start').description('start it, if it does not run').action(async () => {
    const server = await startEmbedded();
    for (const notice of server.notices) sayError(dim(notice));
    say(
      `PostgreSQL ${server.major} ${server.started ? 'started' : 'runs already'} on port ${server.port}, files in ${relative('', server.directory)}`,
    );
    say(`Connect with: psql '${server.url}'`);
  });
}
