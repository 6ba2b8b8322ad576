import { Command } from 'commander';
import { Migrator } from 'mikro-orm-safe-migrations';
import { confirmDestructive } from './confirmation.ts';
import { lockWaitOption } from './lock-wait.ts';
import { sayRun } from './migration-progress.ts';
import { sayJson } from './output.ts';
import { sayPlace, withDatabase } from './with-database.ts';

interface Given {
  readonly confirm?: string;
  readonly lockWait: number;
  readonly json?: boolean;
}

/** `synthdb migrate redo` */
export function migrateRedo(): Command {
  return new Command('redo')
    .description('revert the migration applied last, and apply it again')
    .option(
      '--confirm <name>',
      'the name of the database, where it is not for development or data would be lost',
    )
    .addOption(lockWaitOption())
    .option('--json', 'print { database, runs: [{ name, direction, duration }] } for programs')
    .action(({ confirm, lockWait, json = false }: Given) =>
      withDatabase('migrations', async (orm, place) => {
        await confirmDestructive(orm, place, {
          confirm,
          does: 'reverts a migration',
          losses: () => new Migrator(orm).lossesOfDown(),
        });
        if (!json) sayPlace(place);
        const runs = await sayRun(json, (onEvent) => new Migrator(orm, { lockWait, onEvent }).redo());
        if (json) sayJson({ database: place.database, runs });
      }),
    );
}
