import type { EntityClass, EntityKey, EntityManager } from '@mikro-orm/postgresql';
import { Command, Option } from 'commander';
import { Database } from '../../database/database.ts';
import { unconnected } from '../../database/unconnected.ts';
import { SchemaOutOfDateError } from '../../errors.ts';
import { loadModes, loadRows, type LoadMode, type LoadOptions } from '../../loading/index.ts';
import { loadTarget } from '../../loading/load-target.ts';
import { migrationGap } from '../../migrator/index.ts';
import { say, sayJson, table } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { sayPlace, withDatabase } from '../with-database.ts';
import { csvRows } from './csv-rows.ts';
import { jsonlRows } from './jsonl-rows.ts';
import { LoadProgress } from './progress.ts';
import { formats, openSource, textOf, type Format } from './source.ts';

interface Given {
  readonly entity: string;
  readonly mode: LoadMode;
  readonly key?: readonly EntityKey<object>[];
  readonly onDuplicate: 'error' | 'last';
  readonly format?: Format;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `synthdb load FILE` */
export function load(): Command {
  return new Command('load')
    .description('load the rows of a file, or of standard input, into the table of an entity: all or none')
    .argument(
      '<file>',
      'CSV with a heading, or a JSON object on each line, by the names of properties; - for standard input',
    )
    .requiredOption('--entity <name>', 'whose rows they are: Experiment')
    .addOption(
      new Option('--mode <mode>', 'what becomes of rows whose key is there')
        .choices(loadModes)
        .makeOptionMandatory(),
    )
    .option(
      '--key <properties>',
      'what tells rows apart, such as analysis,synthId (default: the key of the entity)',
      (given) => given.split(','),
    )
    .addOption(
      new Option('--on-duplicate <what>', 'when several of the rows have one key')
        .choices(['error', 'last'])
        .default('error'),
    )
    .addOption(new Option('--format <format>', 'when the name of the file does not tell').choices(formats))
    .option('--dry-run', 'read and check the rows, and print the statements; connect to nothing')
    .option(
      '--json',
      'print { database, rows, inserted, updated, deleted, skipped }, or { rows, statements: [{ sql, rows }] }, for programs',
    )
    .action((file: string, given: Given) => (given.dryRun ? plan(file, given) : execute(file, given)));
}

async function plan(file: string, given: Given): Promise<void> {
  const orm = unconnected();
  const found = await withRows(file, given, orm.em, (options) =>
    loadRows(new Database(orm), { ...options, planOnly: true }),
  );
  if (given.json) return sayJson(found);
  say(`${found.rows.toLocaleString('en')} rows can be read. This would be sent:`);
  for (const { sql, rows } of found.statements) say(`  ${sql};${rows > 0 ? ` -- ${rows} rows` : ''}`);
}

function execute(file: string, given: Given): Promise<void> {
  return withDatabase('application', async (orm, place) => {
    const { pending } = await migrationGap(orm);
    if (pending.length > 0) throw new SchemaOutOfDateError(pending);
    if (!given.json) sayPlace(place);
    const counts = await withRows(file, given, orm.em, (options) => loadRows(new Database(orm), options));
    if (given.json) return sayJson({ database: place.database, ...counts });
    say(
      table(Object.keys(counts), [Object.values(counts).map((count: number) => count.toLocaleString('en'))]),
    );
  });
}

/** Runs `work` on the rows of the file, and shows how far it has come. */
async function withRows<T>(
  file: string,
  { entity: name, mode, key, onDuplicate, format }: Given,
  em: EntityManager,
  work: (options: LoadOptions<object>) => Promise<T>,
): Promise<T> {
  const meta = [...em.getMetadata().getAll().values()];
  const found = meta.find(({ className }) => className === name);
  if (!found) {
    const names = meta.map(({ className }) => className).toSorted();
    throw new UsageError(`there is no entity "${name}"; there are ${names.join(', ')}`);
  }
  const source = await openSource(file, format);
  const { columns } = loadTarget(em, found);
  const progress = new LoadProgress(source.size);
  const text = textOf(source.bytes, (bytes) => progress.read(bytes));
  const rows = source.format === 'csv' ? csvRows(text, columns) : jsonlRows(text, columns);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's own list of entities has their classes
  const entity = found.class as EntityClass<object>;
  try {
    return await work({ entity, mode, key, onDuplicate, rows: progress.counted(rows) });
  } finally {
    progress.stop();
  }
}
