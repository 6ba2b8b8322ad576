import { Argument, Command } from 'commander';
import { confirmDestructive } from '../host/confirmation.ts';
import { lockWaitOption } from '../../terminal/options.ts';
import { driftLines } from '../../terminal/drift-lines.ts';
import { print, printError, printJson } from '../../terminal/output.ts';
import type { RepairAction } from '../../ledger/history.ts';
import type { MigrationEvent } from '../../run/context/migration-event.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly reason: string;
  readonly confirm?: string;
  readonly lockWait: number;
  readonly json?: boolean;
}

const done: Readonly<Record<RepairAction, string>> = {
  applied: 'is recorded as applied',
  reverted: 'is recorded as not applied',
  abandon: 'is no longer unfinished; what it has done stays',
  accept: 'is accepted as it is now',
  forget: 'is forgotten; what it has made stays',
};

/** Returns the command `repair ACTION NAME`. */
export function repairCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('repair')
    .description('correct what is recorded of one migration, where no other command can go on')
    .addArgument(new Argument('<action>', 'what to record').choices(Object.keys(done)))
    .argument('<name>', 'the migration')
    .requiredOption('--reason <text>', 'why, for the history')
    .option('--confirm <name>', 'the name of the database, where it is not for development')
    .addOption(lockWaitOption())
    .option('--json', 'print JSON: { database, action, name }')
    .addHelpText(
      'after',
      `
Actions:
  applied    it was applied by hand
  reverted   it was reverted by hand
  abandon    give an interrupted one up, and drop the INVALID index that it left
  accept     take the edited file of an applied one as it is now
  forget     take one whose file was deleted out of the log`,
    )
    .action((action: RepairAction, name: string, { reason, confirm, lockWait, json = false }: Given) =>
      host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        await confirmDestructive(host, orm, place, { confirm, does: 'changes what is recorded as applied' });
        const onEvent = (event: MigrationEvent): void => {
          if (event.kind === 'drift' && !json)
            for (const line of driftLines(event.differences)) printError(line);
        };
        await new Migrator(orm, { lockWait, onEvent }).repair({ action, name, reason });
        if (json) return printJson({ database: place.database, action, name });
        print(host.describe(place));
        print(`${name} ${done[action]}.`);
      }),
    );
}
