import { Command } from 'commander';
import { migrationStates } from '../migrator/index.ts';
import { say, sayJson, table } from './output.ts';
import { sayPlace, withDatabase } from './with-database.ts';

/** `synthdb migrate status` */
export function migrateStatus(): Command {
  return new Command('status')
    .description('list the migrations, applied and pending')
    .option('--json', 'print { database, migrations: [{ name, appliedAt }] } for programs')
    .action(({ json = false }: { json?: boolean }) =>
      withDatabase('migrations', async (orm, place) => {
        const migrations = await migrationStates(orm);
        if (json) return sayJson({ database: place.database, migrations });
        sayPlace(place);
        say(
          table(
            ['migration', 'state', 'applied at'],
            migrations.map(({ name, appliedAt }) => [
              name,
              appliedAt ? 'applied' : 'pending',
              appliedAt?.toISOString() ?? '',
            ]),
          ),
        );
      }),
    );
}
