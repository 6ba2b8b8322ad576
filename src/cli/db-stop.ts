import { Command } from 'commander';
import { say } from 'mikro-orm-safe-migrations/cli';
import { embeddedDirectory } from '../database/default-target.ts';
import { EmbeddedPostgres } from '../embedded/index.ts';

/** `synthdb db stop` */
export function dbStop(): Command {
  return new Command('stop').description('stop it; its data stays').action(async () => {
    const server = await EmbeddedPostgres.find({ directory: embeddedDirectory() });
    await server?.stop();
    say(server ? 'Stopped; its data stays.' : 'It does not run.');
  });
}
