import { Command, Option } from 'commander';
import { parsePositiveInteger } from '../../terminal/options.ts';
import { minuteOf, print, printJson, tableOfNames, wrapLine } from '../../terminal/output.ts';
import type { HistoryItem } from '../../ledger/history.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

/** Returns the command `history`. */
export function historyCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('history')
    .description('list what was run, newest first')
    .addOption(new Option('--limit <n>', 'how many').argParser(parsePositiveInteger).default(20))
    .option(
      '--json',
      'print JSON: { database, history: [{ name, action, outcome, startedAt, duration, by, error, note, locks }] }',
    )
    .action(({ limit, json = false }: { limit: number; json?: boolean }) =>
      host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        const history = await new Migrator(orm).history({ limit });
        if (json) return printJson({ database: place.database, history });
        print(host.describe(place));
        if (history.length === 0) return print('Nothing was run yet.');
        print(tableOfNames(['started', 'migration', 'action', 'took'], history.map(row), 1));
        for (const { name, by, error, note, locks } of history) {
          const tables = Object.keys(locks ?? {});
          const known = [note, error, tables.length > 0 ? `locked ${tables.join(', ')}` : null];
          const facts = known.filter((fact) => fact !== null).join('; ');
          if (facts !== '') print(wrapLine(`  ${name}, by ${by}: ${facts}`));
        }
      }),
    );
}

function row({ name, action, outcome, startedAt, duration }: HistoryItem): string[] {
  const what = outcome === 'done' ? action : `${action} ${outcome}`;
  return [minuteOf(startedAt), name, what, `${duration} ms`];
}
