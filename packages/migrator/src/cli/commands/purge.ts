import { Command } from 'commander';
import { confirmDestructive } from '../host/confirmation.ts';
import { lockWaitOption } from '../../terminal/options.ts';
import { parkedLine } from '../../terminal/parked-line.ts';
import { print, printJson } from '../../terminal/output.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly olderThan: string;
  readonly confirm?: string;
  readonly lockWait: number;
  readonly json?: boolean;
}

/** Returns the command `purge`. */
export function purgeCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('purge')
    .description('drop the columns and tables that migrations have parked')
    .requiredOption('--older-than <interval>', 'only what was parked for longer, such as "30 days"')
    .option('--confirm <name>', 'the name of the database, where it is not for development')
    .addOption(lockWaitOption())
    .option('--json', 'print JSON: { database, purged: [{ table, column or null, since }] }')
    .action(({ olderThan, confirm, lockWait, json = false }: Given) =>
      host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        await confirmDestructive(host, orm, place, { confirm, does: 'drops what was parked' });
        const purged = await new Migrator(orm, { lockWait }).purge({ olderThan });
        if (json) return printJson({ database: place.database, purged });
        print(host.describe(place));
        if (purged.length === 0) return print('Nothing was parked for longer than that.');
        for (const one of purged) print(`Purged ${parkedLine(one)}.`);
      }),
    );
}
