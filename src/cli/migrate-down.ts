import { Command } from 'commander';
import { migrateDown } from '../migrator/index.ts';
import { say, sayJson } from './output.ts';
import { sayPlace, withDatabase } from './with-database.ts';

/** `synthdb migrate down` */
export function migrateDownCommand(): Command {
  return new Command('down')
    .description('revert the migration applied last')
    .option('--json', 'print { database, reverted } for programs')
    .action(({ json = false }: { json?: boolean }) =>
      withDatabase('migrations', async (orm, place) => {
        if (!json) sayPlace(place);
        const reverted = await migrateDown(orm);
        if (json) return sayJson({ database: place.database, reverted });
        say(reverted === null ? 'Nothing to revert.' : `  reverted ${reverted}`);
      }),
    );
}
