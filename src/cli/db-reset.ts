import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { embeddedDirectory } from '../database/default-target.ts';
import { EmbeddedPostgres } from '../embedded/index.ts';
import { Migrator } from '../migrator/index.ts';
import { resolveDatabase } from '../settings/resolve.ts';
import { say } from './output.ts';
import { UsageError } from './usage-error.ts';
import { sayHowToConnect, sayPlace, withEmbedded } from './with-database.ts';

/** `synthdb db reset` */
export function dbReset(): Command {
  return new Command('reset')
    .description('delete it with all its data, and make it anew, migrated')
    .option('--yes', 'do not ask')
    .action(async ({ yes = false }: { yes?: boolean }) => {
      const named = resolveDatabase({}, 'migrations');
      if (named)
        throw new UsageError(
          `${named.source} names ${named.target.label}; only the embedded database is reset`,
        );
      if (!yes && !(await confirmed())) return say('Nothing was changed.');
      await EmbeddedPostgres.remove({ directory: embeddedDirectory() });
      await withEmbedded(async (orm, place) => {
        const applied = await new Migrator(orm).up();
        sayPlace(place);
        say(`Made anew, ${applied.length} migrations applied.`);
        sayHowToConnect(place);
      });
    });
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError('this deletes all data of the embedded database; say --yes to mean it');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (
      (await terminal.question('This deletes all data of the embedded database. Type "reset" to go on: ')) ===
      'reset'
    );
  } finally {
    terminal.close();
  }
}
