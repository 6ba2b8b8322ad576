import { Command } from 'commander';
import { Migrator, type MigrationStatus } from 'mikro-orm-safe-migrations';
import { print, printJson, table } from './output.ts';
import { printDatabase, withDatabase } from './with-database.ts';

/** Returns the command `synthdb migrate status`. */
export function migrateStatusCommand(): Command {
  return new Command('status')
    .description('list the migrations: applied, pending, and what is wrong with them')
    .option('--exit-code', 'end with 3 when one is not simply applied')
    .option(
      '--json',
      'print JSON: { database, migrations: [{ name, condition, appliedAt, duration, by, checksum }] }',
    )
    .action(({ json = false, exitCode = false }: { json?: boolean; exitCode?: boolean }) =>
      withDatabase('migrations', async (orm, info) => {
        const migrations = await new Migrator(orm).status();
        if (exitCode && migrations.some(({ condition }) => condition !== 'applied')) process.exitCode = 3;
        if (json) return printJson({ database: info.database, migrations });
        printDatabase(info);
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
