import { Command } from 'commander';
import { migrateUp } from '../migrator/index.ts';
import { say, sayJson } from './output.ts';
import { sayHowToConnect, sayPlace, withDatabase } from './with-database.ts';

/** `synthdb migrate up` */
export function migrateUpCommand(): Command {
  return new Command('up')
    .description('apply every pending migration, oldest first')
    .option('--json', 'print { database, applied } for programs')
    .action(({ json = false }: { json?: boolean }) =>
      withDatabase('migrations', async (orm, place) => {
        if (!json) sayPlace(place);
        const applied = await migrateUp(orm);
        if (json) return sayJson({ database: place.database, applied });
        for (const name of applied) say(`  applied ${name}`);
        say(applied.length === 0 ? 'Nothing is pending.' : `${applied.length} applied, nothing is pending.`);
        sayHowToConnect(place);
      }),
    );
}
