import { Command, Option } from 'commander';
import { confirmDestructive } from '../host/confirmation.ts';
import { lockWaitOption, optionalOption } from '../../terminal/options.ts';
import { runWithProgress } from '../../terminal/run-with-progress.ts';
import { print, printJson } from '../../terminal/output.ts';
import { parsePositiveInteger } from '../../terminal/options.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly to?: string;
  readonly steps?: number;
  readonly all?: boolean;
  readonly optional?: readonly string[];
  readonly confirm?: string;
  readonly lockWait: number;
  readonly json?: boolean;
}

/** Returns the command `down`. */
export function downCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('down')
    .description('revert the migration applied last, or more')
    .addOption(
      new Option('--to <name>', 'the last one to keep; -2 to revert two').conflicts(['steps', 'all']),
    )
    .addOption(
      new Option('--steps <n>', 'how many to revert').argParser(parsePositiveInteger).conflicts('all'),
    )
    .option('--all', 'revert every one')
    .addOption(
      optionalOption(
        'revert only this optional migration, also where others were applied after it',
      ).conflicts(['to', 'steps', 'all']),
    )
    .option(
      '--confirm <name>',
      'the name of the database, where it is not for development or data would be lost',
    )
    .addOption(lockWaitOption())
    .option('--json', 'print JSON: { database, reverted: [{ name, direction, duration }] }')
    .action(({ to, steps, all = false, optional, confirm, lockWait, json = false }: Given) =>
      host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        await confirmDestructive(host, orm, place, {
          confirm,
          does: 'reverts migrations',
          losses: () => new Migrator(orm).lossesOfDown({ to, steps, all, optional }),
        });
        if (!json) print(host.describe(place));
        const reverted = await runWithProgress(json, (control) =>
          new Migrator(orm, { lockWait, ...control }).down({ to, steps, all, optional }),
        );
        if (json) return printJson({ database: place.database, reverted });
        if (reverted.length === 0) print('Nothing to revert.');
      }),
    );
}
