import { Command } from 'commander';
import type { Difference } from '../../catalog/differences.ts';
import type { Precheck } from '../../prechecks/rows/precheck.ts';
import type { MigrationEvent } from '../../run/context/migration-event.ts';
import { lockWaitOption, optionalOption } from '../../terminal/options.ts';
import { runWithProgress } from '../../terminal/run-with-progress.ts';
import { print, printJson } from '../../terminal/output.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly to?: string;
  readonly optional?: readonly string[];
  readonly allowOutOfOrder?: boolean;
  readonly allowAhead?: boolean;
  readonly refuseDrift?: boolean;
  readonly lockWait: number;
  readonly json?: boolean;
}

/** Returns the command `up`. */
export function upCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('up')
    .description('apply every pending migration, oldest first; optional ones only by their names')
    .option('--to <name>', 'the last one to apply; +2 for the next two')
    .addOption(optionalOption('also apply this optional migration'))
    .option('--allow-out-of-order', 'also apply migrations that are older than applied ones')
    .option('--allow-ahead', 'accept a database that newer code has migrated, if nothing is pending')
    .option('--refuse-drift', 'refuse when the schema differs from what the last run left')
    .addOption(lockWaitOption())
    .option(
      '--json',
      'print JSON: { database, applied: [{ name, direction, duration }], drift: [{ object, part, fact, expected, found }], prechecks: [{ migration, statement, kind, table, subject, outcome, rows, of, isLowerBound, query, reason }] }',
    )
    .action(({ lockWait, json = false, ...request }: Given) =>
      host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        if (!json) print(host.describe(place));
        const { to } = request;
        let drift: readonly Difference[] = [];
        let prechecks: readonly Precheck[] = [];
        const applied = await runWithProgress(json, ({ onEvent, signal }) => {
          const watch = (event: MigrationEvent) => {
            if (event.kind === 'drift') drift = event.differences;
            if (event.kind === 'prechecked') prechecks = event.prechecks;
            onEvent(event);
          };
          return new Migrator(orm, { lockWait, onEvent: watch, signal }).up(request);
        });
        if (json) return printJson({ database: place.database, applied, drift, prechecks });
        if (applied.length > 0)
          print(`${applied.length} applied${to === undefined ? ', nothing is pending' : ''}.`);
        else print(`Nothing is pending${to === undefined ? '' : ` up to ${to}`}.`);
        const next = host.nextStep(place);
        if (next !== null) print(next);
      }),
    );
}
