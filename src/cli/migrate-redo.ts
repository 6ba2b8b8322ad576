import { Command } from 'commander';
import { Migrator } from 'mikro-orm-safe-migrations';
import { confirmDestructive } from './confirmation.ts';
import { lockWaitOption } from './lock-wait-option.ts';
import { runWithProgress } from './run-with-progress.ts';
import { printJson } from './output.ts';
import { printDatabase, withDatabase } from './with-database.ts';

interface Given {
  readonly confirm?: string;
  readonly lockWait: number;
  readonly json?: boolean;
}

/** Returns the command `synthdb migrate redo`. */
export function migrateRedoCommand(): Command {
  return new Command('redo')
    .description('revert the migration applied last, and apply it again')
    .option(
      '--confirm <name>',
      'the name of the database, where it is not for development or data would be lost',
    )
    .addOption(lockWaitOption())
    .option('--json', 'print JSON: { database, runs: [{ name, direction, duration }] }')
    .action(({ confirm, lockWait, json = false }: Given) =>
      withDatabase('migrations', async (orm, info) => {
        await confirmDestructive(orm, info, {
          confirm,
          does: 'reverts a migration',
          losses: () => new Migrator(orm).lossesOfDown(),
        });
        if (!json) printDatabase(info);
        const runs = await runWithProgress(json, (onEvent) =>
          new Migrator(orm, { lockWait, onEvent }).redo(),
        );
        if (json) printJson({ database: info.database, runs });
      }),
    );
}
