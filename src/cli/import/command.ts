import { Command, InvalidArgumentError } from 'commander';
import type { ImportCommandOptions } from './command-options.ts';

/** Returns the command `synthdb import`. */
export function importCommand(): Command {
  return new Command('import')
    .description(
      'import a legacy database: its SQLite file, of any schema version to 15, or its PostgreSQL database',
    )
    .option('--from <file or url>', 'path of the SQLite file, or URL of the PostgreSQL database')
    .option(
      '--from-env <name>',
      'variable of the environment with the URL, so that its password is not in the list of processes',
    )
    .option('--dry-run', 'read, convert and report every row without connecting to the target')
    .option(
      '--source-time-zone <zone>',
      'time zone of times without one, such as America/Sao_Paulo or UTC; default: they are rejected',
    )
    .option('--skip <names>', 'skip tables (a) and columns (a.b) that the target has no place for', names)
    .option(
      '--export-skipped <file>',
      'write what is skipped or rejected to a file, as JSON lines: { table, row, rejected }',
    )
    .option('--report <file>', 'write the report to a file, as JSON')
    .option('--allow-rejected <count>', 'number of rows that may be rejected', integer, 0)
    .option(
      '--replace-invalid-json',
      'store null for NaN and Infinity, and U+FFFD for U+0000 and unpaired surrogates',
    )
    .option(
      '--null-dangling',
      'store NULL for dangling references, where the foreign key sets NULL on delete',
    )
    .option(
      '--strict',
      'reject documents that do not match their shape or repeat a key, and NULL in columns with a default',
    )
    .option(
      '--json',
      'print JSON: { findings: [{ outcome, table, key, column, reason }], source, target, failures, unknown, absent, notes, tables }',
    )
    .action(async (options: ImportCommandOptions) => {
      const { importDatabase } = await import('./run.ts');
      await importDatabase(options);
    });
}

function names(given: string, before: string[] = []): string[] {
  return [...before, ...given.split(',').map((name) => name.trim())];
}

function integer(given: string): number {
  if (!/^\d+$/.test(given)) throw new InvalidArgumentError('Expected a non-negative integer.');
  return Number(given);
}
