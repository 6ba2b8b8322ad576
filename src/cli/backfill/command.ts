import { Command, Option } from 'commander';
import { formats } from '../load/source.ts';
import type { BackfillArguments } from './arguments.ts';

/** `synthdb backfill` */
export function backfill(): Command {
  return new Command('backfill')
    .description('make or complete the parents that facts name, before the facts are loaded')
    .argument('[facts]', 'CSV with a heading, or a JSON object on each line; - for standard input', '-')
    .requiredOption('--config <file>', 'what to make of which properties of the facts, as JSON')
    .addOption(new Option('--format <format>', 'when the name of the file does not tell').choices(formats))
    .option(
      '--dry-run',
      'read the facts, and print the parents that they name and the statements; connect to nothing',
    )
    .option(
      '--json',
      'print { database, facts, targets: [{ name, entity, outcome, error, candidates, inserted, updated, skipped }] }, or { facts, targets: [{ name, entity, candidates }], statements: [{ sql, rows }] }, for programs',
    )
    .action(async (file: string, given: BackfillArguments) => {
      const { printBackfillPlan, runBackfill } = await import('./run.ts');
      await (given.dryRun ? printBackfillPlan(file, given) : runBackfill(file, given));
    });
}
