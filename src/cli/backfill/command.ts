import { Command } from 'commander';
import { addFileOptions } from '../rows/file-options.ts';
import type { BackfillCommandOptions } from './command-options.ts';

/** Returns the command `synthdb backfill`. */
export function backfillCommand(): Command {
  const command = new Command('backfill')
    .description('insert or complete the parents that facts reference, before the facts are loaded')
    .argument('[facts]', 'CSV with a header, or JSON lines; - for standard input', '-')
    .requiredOption('--config <file>', 'the configuration of the backfill, as JSON');
  return addFileOptions(command)
    .option(
      '--dry-run',
      'read the facts, and print the first ones as they were understood, parents and statements, without a connection',
    )
    .option(
      '--json',
      'print JSON: { database, facts, targets: [{ name, entity, outcome, error, candidates, inserted, updated, skipped }] }, or { facts, first, targets: [{ name, entity, candidates }], statements: [{ sql, rows }] }',
    )
    .action(async (file: string, options: BackfillCommandOptions) => {
      const { backfillFromFile, planBackfillFromFile } = await import('./run.ts');
      await (options.dryRun ? planBackfillFromFile(file, options) : backfillFromFile(file, options));
    });
}
