import { Command, Option } from 'commander';
import { duplicateRules, loadModes } from '../../loading/load-options.ts';
import { formats } from './source.ts';
import type { LoadArguments } from './arguments.ts';

/** `synthdb load FILE` */
export function load(): Command {
  return new Command('load')
    .description('load the rows of a file, or of standard input, into the table of an entity: all or none')
    .argument(
      '<file>',
      'CSV with a heading, or a JSON object on each line, by the names of properties; - for standard input',
    )
    .requiredOption('--entity <name>', 'whose rows they are: Experiment')
    .addOption(
      new Option('--mode <mode>', 'what becomes of rows whose key is there')
        .choices(loadModes)
        .makeOptionMandatory(),
    )
    .option(
      '--key <properties>',
      'what tells rows apart, such as analysis,synthId (default: the key of the entity)',
      (given) => given.split(','),
    )
    .addOption(
      new Option('--on-duplicate <what>', 'when several of the rows have one key')
        .choices(duplicateRules)
        .default('error'),
    )
    .addOption(new Option('--format <format>', 'when the name of the file does not tell').choices(formats))
    .option('--dry-run', 'read and check the rows, and print the statements; connect to nothing')
    .option(
      '--json',
      'print { database, rows, inserted, updated, deleted, skipped }, or { rows, statements: [{ sql, rows }] }, for programs',
    )
    .action(async (file: string, given: LoadArguments) => {
      const { printLoadPlan, runLoad } = await import('./run.ts');
      await (given.dryRun ? printLoadPlan(file, given) : runLoad(file, given));
    });
}
