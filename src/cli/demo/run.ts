import { Database } from '../../database/database.ts';
import { SchemaOutOfDateError } from '../../errors.ts';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { say, sayJson, table } from 'mikro-orm-safe-migrations/cli';
import { describePlace, withDatabase } from '../with-database.ts';
import { storeDemo } from './store-demo.ts';
import { summary } from './summary.ts';

/** Stores the experiment, and says what is stored. */
export function runDemo(json: boolean): Promise<void> {
  return withDatabase('application', async (orm, place) => {
    const { pending } = await migrationGap(orm);
    if (pending.length > 0) throw new SchemaOutOfDateError(pending);
    const database = new Database(orm);
    await storeDemo(database);
    const stored = await database.transact(summary);
    if (json) return sayJson({ database: place.database, stored });
    say(describePlace(place));
    say(
      table(
        ['stored', 'rows', ''],
        stored.map(({ what, rows, detail }) => [what, String(rows), detail]),
      ),
    );
  });
}
