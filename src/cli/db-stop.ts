import { Command } from 'commander';
import { embeddedDirectory } from '../database/default-target.ts';
import { EmbeddedPostgres } from '../embedded/index.ts';
import { say } from './output.ts';

/** `synthdb db stop` */
export function dbStop(): Command {
  return new Command('stop').description('stop it; its data stays').action(async () => {
    const server = await EmbeddedPostgres.find({ directory: embeddedDirectory() });
    await server?.stop();
    say(server ? 'Stopped; its data stays.' : 'It does not run.');
  });
}
