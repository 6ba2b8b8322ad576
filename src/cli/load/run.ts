import { print, printJson, table, UsageError } from 'mikro-orm-safe-migrations/cli';
import type { EntityClass, EntityManager } from '@mikro-orm/postgresql';
import { Database } from '../../database/database.ts';
import { unconnected } from '../../postgres/orm/unconnected.ts';
import { InvalidLoadError, SchemaOutOfDateError } from '../../errors.ts';
import { loadRows, planLoad, type LoadOptions } from '../../loading/index.ts';
import { loadTarget } from '../../loading/load/load-target.ts';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { printDatabase, withDatabase } from '../connection/with-database.ts';
import type { LoadCommandOptions } from './command-options.ts';
import { csvRows } from './csv-rows.ts';
import { jsonlRows } from './jsonl-rows.ts';
import { LoadProgress } from '../progress/load-progress.ts';
import { decodeUtf8, withSource, type Source } from './source.ts';

/** Runs `synthdb load --dry-run`: reads and checks the rows, and prints the statements. */
export async function planLoadOfFile(file: string, given: LoadCommandOptions): Promise<void> {
  const orm = unconnected();
  const found = await withSource(file, given.format, (source) => withRows(source, given, orm.em, planLoad));
  if (given.json) return printJson(found);
  print(`${found.rows.toLocaleString('en')} rows are valid. Statements:`);
  for (const { sql, rows } of found.statements) print(`  ${sql};${rows > 0 ? ` -- ${rows} rows` : ''}`);
}

/** Runs `synthdb load`: loads the rows, and prints the counts. */
export function loadFile(file: string, given: LoadCommandOptions): Promise<void> {
  return withSource(file, given.format, (source) =>
    withDatabase('application', async (orm, info) => {
      const { pending } = await migrationGap(orm);
      if (pending.length > 0) throw new SchemaOutOfDateError(pending);
      if (!given.json) printDatabase(info);
      const counts = await withRows(source, given, orm.em, (options) => loadRows(new Database(orm), options));
      if (given.json) return printJson({ database: info.database, ...counts });
      print(
        table(Object.keys(counts), [
          Object.values(counts).map((count: number) => count.toLocaleString('en')),
        ]),
      );
    }),
  );
}

/** Runs `work` on the rows of the file, and shows its progress. */
async function withRows<T>(
  source: Source,
  { entity: name, mode, key, onDuplicate }: LoadCommandOptions,
  em: EntityManager,
  work: (options: LoadOptions<object>) => Promise<T>,
): Promise<T> {
  const meta = [...em.getMetadata().getAll().values()];
  const found = meta.find(({ className }) => className === name);
  if (!found) {
    const names = meta.map(({ className }) => className).toSorted();
    throw new UsageError(`unknown entity "${name}"; expected one of: ${names.join(', ')}`);
  }
  const { columns } = loadTarget(em, found);
  const progress = new LoadProgress(source.size);
  const text = decodeUtf8(source.bytes, (bytes) => progress.read(bytes));
  const rows = source.format === 'csv' ? csvRows(text, columns) : jsonlRows(text, columns);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's own list of entities has their classes
  const entity = found.class as EntityClass<object>;
  try {
    return await work({ entity, mode, key, onDuplicate, rows: progress.count(rows) });
  } catch (error) {
    if (!(error instanceof InvalidLoadError)) throw error;
    throw new UsageError(error.message, { cause: error });
  } finally {
    progress.stop();
  }
}
