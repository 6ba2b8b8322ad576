import { print } from 'mikro-orm-safe-migrations/cli';
import { Command } from 'commander';
import { embeddedDirectory } from '../database/default-target.ts';
import { EmbeddedPostgres } from '../embedded/index.ts';

/** Returns the command `synthdb db stop`. */
export function dbStopCommand(): Command {
  return new Command('stop').description('stop it; its data is kept').action(async () => {
    const server = await EmbeddedPostgres.find({ directory: embeddedDirectory() });
    await server?.stop();
    print(server ? 'Stopped; its data is kept.' : 'The embedded PostgreSQL is not running.');
  });
}
