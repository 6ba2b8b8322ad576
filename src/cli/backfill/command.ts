import { Command, Option } from 'commander';
import { formats } from '../load/source.ts';
import type { BackfillCommandOptions } from './command-options.ts';

/** Returns the command `synthdb backfill`. */
export function backfillCommand(): Command {
  return new Command('backfill')
    .description('insert or complete the parents that facts reference, before the facts are loaded')
    .argument('[facts]', 'CSV with a header, or JSON lines; - for standard input', '-')
    .requiredOption('--config <file>', 'the configuration of the backfill, as JSON')
    .addOption(new Option('--format <format>', 'default: the extension of the file').choices(formats))
    .option('--dry-run', 'read the facts, and print parents and statements, without a connection')
    .option(
      '--json',
      'print JSON: { database, facts, targets: [{ name, entity, outcome, error, candidates, inserted, updated, skipped }] }, or { facts, targets: [{ name, entity, candidates }], statements: [{ sql, rows }] }',
    )
    .action(async (file: string, options: BackfillCommandOptions) => {
      const { backfillFromFile, planBackfillFromFile } = await import('./run.ts');
      await (options.dryRun ? planBackfillFromFile(file, options) : backfillFromFile(file, options));
    });
}
