import { Command, Option } from 'commander';
import { Migrator } from '../migrator.ts';
import { confirmDestructive } from './confirmation.ts';
import { lockWaitOption } from './lock-wait.ts';
import { sayRun } from './migration-progress.ts';
import { say, sayJson, wholeNumber } from './output.ts';
import type { CommandHost, Place } from './host.ts';

interface Given {
  readonly to?: string;
  readonly steps?: number;
  readonly all?: boolean;
  readonly confirm?: string;
  readonly lockWait: number;
  readonly json?: boolean;
}

/** Returns the command `down`. */
export function downCommand<P extends Place>(host: CommandHost<P>): Command {
  return new Command('down')
    .description('revert the migration applied last, or more')
    .addOption(new Option('--to <name>', 'the last one to keep').conflicts(['steps', 'all']))
    .addOption(new Option('--steps <n>', 'how many to revert').argParser(wholeNumber).conflicts('all'))
    .option('--all', 'revert every one')
    .option(
      '--confirm <name>',
      'the name of the database, where it is not for development or data would be lost',
    )
    .addOption(lockWaitOption())
    .option('--json', 'print { database, reverted: [{ name, direction, duration }] } as JSON')
    .action(({ to, steps, all = false, confirm, lockWait, json = false }: Given) =>
      host.withDatabase(async (orm, place) => {
        await confirmDestructive(host, orm, place, {
          confirm,
          does: 'reverts migrations',
          losses: () => new Migrator(orm).lossesOfDown({ to, steps, all }),
        });
        if (!json) say(host.describe(place));
        const reverted = await sayRun(json, (onEvent) =>
          new Migrator(orm, { lockWait, onEvent }).down({ to, steps, all }),
        );
        if (json) return sayJson({ database: place.database, reverted });
        if (reverted.length === 0) say('Nothing to revert.');
      }),
    );
}
