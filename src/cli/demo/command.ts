import { Command } from 'commander';
import { Database } from '../../database/database.ts';
import { SchemaOutOfDateError } from '../../errors.ts';
import { migrationGap } from '../../migrator/index.ts';
import { say, sayJson, table } from '../output.ts';
import { sayPlace, withDatabase } from '../with-database.ts';
import { storeDemo } from './store-demo.ts';
import { summary } from './summary.ts';

/** `synthdb demo` */
export function demo(): Command {
  return new Command('demo')
    .description('store a realistic experiment, the same at every run, and print what was stored')
    .option('--json', 'print { stored: [{ what, rows, detail }] } for programs')
    .action(({ json = false }: { json?: boolean }) =>
      withDatabase('application', async (orm, place) => {
        const { pending } = await migrationGap(orm);
        if (pending.length > 0) throw new SchemaOutOfDateError(pending);
        const database = new Database(orm);
        await storeDemo(database);
        const stored = await database.transact(summary);
        if (json) return sayJson({ stored });
        sayPlace(place);
        say(
          table(
            ['stored', 'rows', ''],
            stored.map(({ what, rows, detail }) => [what, String(rows), detail]),
          ),
        );
      }),
    );
}
