import { Command } from 'commander';
import { confirmDestructive } from '../host/confirmation.ts';
import { lockWaitOption, optionalOption } from '../../terminal/options.ts';
import { scratchUrlOption } from '../../terminal/scratch-url-option.ts';
import type { MigrationEvent } from '../../run/context/migration-event.ts';
import { print, printJson, wrapLine } from '../../terminal/output.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly optional?: readonly string[];
  readonly confirm?: string;
  readonly lockWait: number;
  readonly scratchUrl?: string;
  readonly json?: boolean;
}

/** Returns the command `baseline NAME`. */
export function baselineCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('baseline')
    .description('record the migrations up to one as applied to a schema that was created in another way')
    .argument('<name>', 'the last migration to record as applied')
    .addOption(optionalOption('an optional migration before it, whose result the schema has too'))
    .option('--confirm <name>', 'the name of the database, where it is not for development')
    .addOption(lockWaitOption())
    .addOption(scratchUrlOption())
    .option('--json', 'print JSON: { database, recorded: [name], unverified: [{ name, reason }] }')
    .action((name: string, { optional, confirm, lockWait, scratchUrl, json = false }: Given) =>
      host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        await confirmDestructive(host, orm, place, { confirm, does: 'records migrations as applied' });
        if (!json) print(host.describe(place));
        const unverified: { readonly name: string; readonly reason: string }[] = [];
        const onEvent = (event: MigrationEvent): void => {
          if (event.kind === 'unverified') unverified.push({ name: event.name, reason: event.reason });
        };
        const recorded = await new Migrator(orm, { lockWait, scratchUrl, onEvent }).baseline(name, {
          optional,
        });
        if (json) return printJson({ database: place.database, recorded, unverified });
        for (const one of recorded) print(`  recorded ${one}`);
        print(
          recorded.length === 0 ? 'All are recorded already.' : `${recorded.length} recorded as applied.`,
        );
        if (unverified.length === 0) return;
        print('Only the schema was compared. Check the rows that these change:');
        for (const one of unverified) print(wrapLine(`  ${one.name} ${one.reason}`));
      }),
    );
}
