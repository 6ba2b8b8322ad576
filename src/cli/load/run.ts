import { print, printJson, table, UsageError } from 'mikro-orm-safe-migrations/cli';
import type { EntityClass, EntityManager } from '@mikro-orm/postgresql';
import { Database } from '../../database/database.ts';
import { createOfflineOrm } from '../../postgres/orm/offline-orm.ts';
import { InvalidLoadError, SchemaOutOfDateError } from '../../errors.ts';
import { loadRows, planLoad, type LoadOptions } from '../../loading/index.ts';
import { describeTarget } from '../../loading/load/load-target.ts';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { printDatabase, withDatabase } from '../connection/with-database.ts';
import type { LoadCommandOptions } from './command-options.ts';
import { LoadProgress } from '../progress/load-progress.ts';
import { csvOptionsOf } from '../rows/file-options.ts';
import { entityNamed } from '../rows/entity-named.ts';
import { FirstRows } from '../rows/first-rows.ts';
import { readFileRows } from '../rows/read-file-rows.ts';
import { withSource, type Source } from '../rows/source.ts';

/** Runs `synthdb load --dry-run`: reads and checks the rows, and prints the first ones and the statements. */
export async function planLoadOfFile(file: string, given: LoadCommandOptions): Promise<void> {
  const orm = createOfflineOrm();
  const first = new FirstRows();
  const found = await withSource(file, given.format, (source) =>
    withRows(source, given, orm.em, (options) => planLoad({ ...options, rows: first.keep(options.rows) })),
  );
  if (given.json) return printJson({ rows: found.rows, first: first.rows, statements: found.statements });
  print(`${found.rows.toLocaleString('en')} rows are valid.`);
  first.print();
  print('Statements:');
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
  { entity: name, mode, key, onDuplicate, ...given }: LoadCommandOptions,
  em: EntityManager,
  work: (options: LoadOptions<object> & { readonly rows: AsyncIterable<object> }) => Promise<T>,
): Promise<T> {
  const csv = csvOptionsOf(given, source.format);
  const found = entityNamed(em, name);
  const { columns } = describeTarget(em, found);
  const progress = new LoadProgress(source.size);
  const onRead = (bytes: number): void => progress.read(bytes);
  const rows = readFileRows(source, columns, { csv, encoding: given.encoding, onRead });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's own list of entities has their classes
  const entity = found.class as EntityClass<object>;
  try {
    const result = await work({ entity, mode, key, onDuplicate, rows: progress.count(rows) });
    if (!given.json) csv.json.print();
    return result;
  } catch (error) {
    if (!(error instanceof InvalidLoadError)) throw error;
    throw new UsageError(error.message, { cause: error });
  } finally {
    progress.stop();
  }
}
