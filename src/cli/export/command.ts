import { Command, Option } from 'commander';
import { exportFormats } from '../../exporting/export-options.ts';
import type { ExportCommandOptions } from './command-options.ts';

/** Returns the command `synthdb export`. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write tables to files that load reads back, all as they were at one moment')
    .argument(
      '[entities...]',
      'the entities of the tables, such as Experiment (default: all); or one read model, such as experiments.streamSummaries',
    )
    .requiredOption(
      '--to <path>',
      'a directory, which gets a file for each table; for one entity, a file, or - for standard output',
    )
    .addOption(
      new Option('--format <format>', 'default: the extension of the file, else csv').choices(exportFormats),
    )
    .option('--of <key>', 'the parent of the rows of a read model, such as an analysis')
    .option('--force', 'replace files that exist')
    .option('--json', 'print JSON: { database, format, tables: [{ entity, rows, bytes, file }] }')
    .addHelpText(
      'after',
      `
Examples:
  synthdb export --to backup                       every table, as CSV
  synthdb export Experiment --to experiments.parquet
  synthdb export SynthOutcome --to - --format jsonl | gzip > outcomes.jsonl.gz
  synthdb export synthOutcomes.streamSummaries --of ana_1 --to -
  synthdb load backup/experiment.csv --entity Experiment --mode append`,
    )
    .action(async (entities: string[], options: ExportCommandOptions) => {
      const { exportToFiles } = await import('./run.ts');
      await exportToFiles(entities, options);
    });
}
