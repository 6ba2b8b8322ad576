import { Command } from 'commander';
import type { MigrationStatus } from '../ledger/status.ts';
import { print, printJson, table } from '../terminal/output.ts';
import type { CommandHost, DatabaseLocation } from './host.ts';

/** Returns the command `status`. */
export function statusCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('status')
    .description('list the migrations, applied and pending, and their problems')
    .option('--exit-code', 'exit with 3 when one is not applied, or has a problem')
    .option(
      '--json',
      'print JSON: { database, migrations: [{ name, condition, appliedAt, duration, by, checksum }] }',
    )
    .action(({ json = false, exitCode = false }: { json?: boolean; exitCode?: boolean }) =>
      host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../migrator.ts');
        const migrations = await new Migrator(orm).status();
        if (exitCode && migrations.some(({ condition }) => condition !== 'applied')) process.exitCode = 3;
        if (json) return printJson({ database: place.database, migrations });
        print(host.describe(place));
        print(table(['migration', 'state', 'applied at', 'took', 'by', 'checksum'], migrations.map(row)));
      }),
    );
}

function row({ name, condition, appliedAt, duration, by, checksum }: MigrationStatus): string[] {
  return [
    name,
    condition,
    appliedAt?.toISOString() ?? '',
    duration === null ? '' : `${duration} ms`,
    by ?? '',
    checksum?.slice(0, 8) ?? '',
  ];
}
