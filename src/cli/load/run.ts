import type { EntityClass, EntityManager } from '@mikro-orm/postgresql';
import { Database } from '../../database/database.ts';
import { unconnected } from '../../postgres/orm/unconnected.ts';
import { InvalidLoadError, SchemaOutOfDateError } from '../../errors.ts';
import { loadRows, planLoad, type LoadOptions } from '../../loading/index.ts';
import { loadTarget } from '../../loading/load-target.ts';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { say, sayJson, table, UsageError } from 'mikro-orm-safe-migrations/cli';
import { describePlace, withDatabase } from '../with-database.ts';
import type { Given } from './command.ts';
import { csvRows } from './csv-rows.ts';
import { jsonlRows } from './jsonl-rows.ts';
import { LoadProgress } from './progress.ts';
import { textOf, withSource, type Source } from './source.ts';

/** Reads and checks the rows, and says what would be sent. */
export async function plan(file: string, given: Given): Promise<void> {
  const orm = unconnected();
  const found = await withSource(file, given.format, (source) => withRows(source, given, orm.em, planLoad));
  if (given.json) return sayJson(found);
  say(`${found.rows.toLocaleString('en')} rows can be read. This would be sent:`);
  for (const { sql, rows } of found.statements) say(`  ${sql};${rows > 0 ? ` -- ${rows} rows` : ''}`);
}

/** Loads the rows, and says what became of them. */
export function execute(file: string, given: Given): Promise<void> {
  return withSource(file, given.format, (source) =>
    withDatabase('application', async (orm, place) => {
      const { pending } = await migrationGap(orm);
      if (pending.length > 0) throw new SchemaOutOfDateError(pending);
      if (!given.json) say(describePlace(place));
      const counts = await withRows(source, given, orm.em, (options) => loadRows(new Database(orm), options));
      if (given.json) return sayJson({ database: place.database, ...counts });
      say(
        table(Object.keys(counts), [
          Object.values(counts).map((count: number) => count.toLocaleString('en')),
        ]),
      );
    }),
  );
}

/** Runs `work` on the rows of the file, and shows how far it has come. */
async function withRows<T>(
  source: Source,
  { entity: name, mode, key, onDuplicate }: Given,
  em: EntityManager,
  work: (options: LoadOptions<object>) => Promise<T>,
): Promise<T> {
  const meta = [...em.getMetadata().getAll().values()];
  const found = meta.find(({ className }) => className === name);
  if (!found) {
    const names = meta.map(({ className }) => className).toSorted();
    throw new UsageError(`there is no entity "${name}"; there are ${names.join(', ')}`);
  }
  const { columns } = loadTarget(em, found);
  const progress = new LoadProgress(source.size);
  const text = textOf(source.bytes, (bytes) => progress.read(bytes));
  const rows = source.format === 'csv' ? csvRows(text, columns) : jsonlRows(text, columns);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's own list of entities has their classes
  const entity = found.class as EntityClass<object>;
  try {
    return await work({ entity, mode, key, onDuplicate, rows: progress.counted(rows) });
  } catch (error) {
    if (!(error instanceof InvalidLoadError)) throw error;
    throw new UsageError(error.message, { cause: error });
  } finally {
    progress.stop();
  }
}
