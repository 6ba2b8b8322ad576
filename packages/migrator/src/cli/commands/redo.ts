import { Command } from 'commander';
import { confirmDestructive } from '../host/confirmation.ts';
import { lockWaitOption } from '../../terminal/options.ts';
import { runWithProgress } from '../../terminal/run-with-progress.ts';
import { print, printJson } from '../../terminal/output.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly confirm?: string;
  readonly lockWait: number;
  readonly json?: boolean;
}

/** Returns the command `redo`. */
export function redoCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('redo')
    .description('revert the migration applied last, and apply it again')
    .option(
      '--confirm <name>',
      'the name of the database, where it is not for development or data would be lost',
    )
    .addOption(lockWaitOption())
    .option('--json', 'print JSON: { database, runs: [{ name, direction, duration }] }')
    .action(({ confirm, lockWait, json = false }: Given) =>
      host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        await confirmDestructive(host, orm, place, {
          confirm,
          does: 'reverts a migration',
          losses: () => new Migrator(orm).lossesOfDown(),
        });
        if (!json) print(host.describe(place));
        const runs = await runWithProgress(json, (control) =>
          new Migrator(orm, { lockWait, ...control }).redo(),
        );
        if (json) printJson({ database: place.database, runs });
      }),
    );
}
