import { Command } from 'commander';
import { Migrator } from '../migrator/index.ts';
import { mustBeMeant } from './confirmation.ts';
import { sayRun } from './migration-progress.ts';
import { sayJson } from './output.ts';
import { sayPlace, withDatabase } from './with-database.ts';

/** `synthdb migrate redo` */
export function migrateRedo(): Command {
  return new Command('redo')
    .description('revert the migration applied last, and apply it again')
    .option('--confirm <name>', 'the name of the database, where it is not one for development')
    .option('--json', 'print { database, runs: [{ name, direction, duration }] } for programs')
    .action(({ confirm, json = false }: { confirm?: string; json?: boolean }) =>
      withDatabase('migrations', async (orm, place) => {
        await mustBeMeant(place, { confirm, always: false });
        if (!json) sayPlace(place);
        const runs = await sayRun(json, (onEvent) => new Migrator(orm, { onEvent }).redo());
        if (json) sayJson({ database: place.database, runs });
      }),
    );
}
