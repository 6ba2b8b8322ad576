import { Command, Option } from 'commander';
import { duplicateRules, loadModes } from '../../loading/load/load-options.ts';
import { addFileOptions } from '../rows/file-options.ts';
import type { LoadCommandOptions } from './command-options.ts';

/** Returns the command `synthdb load`. */
export function loadCommand(): Command {
  const command = new Command('load')
    .description('load the rows of a file or standard input into the table of an entity, all or none')
    .argument(
      '<file>',
      'CSV with a header, JSON lines or Parquet, keyed by the names of properties; - for standard input',
    )
    .requiredOption('--entity <name>', 'the entity of the rows, such as Experiment')
    .addOption(
      new Option('--mode <mode>', 'how rows with an existing key are written')
        .choices(loadModes)
        .makeOptionMandatory(),
    )
    .option(
      '--key <properties>',
      'properties that identify a row, such as analysis,synthId (default: the primary key)',
      (given) => given.split(','),
    )
    .addOption(
      new Option('--on-duplicate <rule>', 'how several rows with the same key are treated')
        .choices(duplicateRules)
        .default('error'),
    );
  return addFileOptions(command)
    .option(
      '--dry-run',
      'read and check the rows, and print the first ones as they were understood, and the statements, without a connection',
    )
    .option(
      '--json',
      'print JSON: { database, rows, inserted, updated, deleted, skipped }, or { rows, first, statements: [{ sql, rows }] }',
    )
    .action(async (file: string, options: LoadCommandOptions) => {
      const { loadFile, planLoadOfFile } = await import('./run.ts');
      await (options.dryRun ? planLoadOfFile(file, options) : loadFile(file, options));
    });
}
