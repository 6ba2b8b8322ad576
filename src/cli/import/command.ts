import { Command, InvalidArgumentError } from 'commander';
import type { ImportArguments } from './arguments.ts';

/** `synthdb import` */
export function importCommand(): Command {
  return new Command('import')
    .description('import a database of the old system: a SQLite file of schema version 15, or its PostgreSQL')
    .requiredOption('--from <file or url>', 'the SQLite file, or the URL of the PostgreSQL database')
    .option('--dry-run', 'read, convert and report everything, without a connection to the target')
    .option('--source-time-zone <zone>', 'what times without a zone are in, such as America/Sao_Paulo or UTC')
    .option('--skip <names>', 'tables (a) and columns (a.b) to leave out that have no place here', names)
    .option('--report <file>', 'write the report to a file, as JSON')
    .option('--allow-rejected <count>', 'how many rows may be rejected', wholeNumber, 0)
    .option(
      '--replace-invalid-json',
      'store null for NaN and Infinity, U+FFFD for U+0000 and half surrogates',
    )
    .option(
      '--null-dangling',
      'store NULL for references to missing rows, where the row lives on without them',
    )
    .option(
      '--strict',
      'reject documents that are out of shape or have a key twice, and NULLs that have a default',
    )
    .option(
      '--json',
      'print { findings: [{ outcome, table, key, column, reason }], source, target, failures, unknown, tables } for programs',
    )
    .action(async (given: ImportArguments) => {
      const { importDatabase } = await import('./run.ts');
      await importDatabase(given);
    });
}

function names(given: string, before: string[] = []): string[] {
  return [...before, ...given.split(',').map((name) => name.trim())];
}

function wholeNumber(given: string): number {
  if (!/^\d+$/.test(given)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(given);
}
