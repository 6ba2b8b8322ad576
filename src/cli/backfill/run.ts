import { print, printJson, table, UsageError } from 'mikro-orm-safe-migrations/cli';
import { readFile } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import { Database } from '../../database/database.ts';
import { InvalidBackfillError, SchemaOutOfDateError } from '../../errors.ts';
import {
  backfillReferences,
  planBackfill,
  type BackfillConfig,
  type BackfilledTarget,
} from '../../loading/index.ts';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { LoadProgress } from '../progress/load-progress.ts';
import { decodeText } from '../rows/decode-text.ts';
import { csvOptionsOf } from '../rows/file-options.ts';
import { FirstRows } from '../rows/first-rows.ts';
import { readJsonlRows } from '../rows/read-jsonl-rows.ts';
import { readParquetRows } from '../rows/read-parquet-rows.ts';
import { withSource, type Source } from '../rows/source.ts';
import { readCsvFacts } from './read-csv-facts.ts';
import { printDatabase, withDatabase } from '../connection/with-database.ts';
import type { BackfillCommandOptions } from './command-options.ts';

/** Runs `synthdb backfill --dry-run`: reads the facts, and prints the first facts, the candidates and the statements. */
export async function planBackfillFromFile(file: string, given: BackfillCommandOptions): Promise<void> {
  const config = await readConfig(given.config);
  const first = new FirstRows();
  const { facts, targets, statements } = await withSource(file, given.format, (source) =>
    withFacts(source, given, config, (rows) => planBackfill(config, first.keep(rows))),
  );
  if (given.json) return printJson({ facts, first: first.rows, targets, statements });
  print(`${facts.toLocaleString('en')} facts are valid.`);
  first.print();
  print(
    table(
      ['target', 'entity', 'candidates'],
      targets.map(({ name, entity, candidates }) => [name, entity, candidates.toLocaleString('en')]),
    ),
  );
  print('Statements:');
  for (const { sql, rows } of statements) print(`  ${sql};${rows > 0 ? ` -- ${rows} rows` : ''}`);
}

/** Runs `synthdb backfill`, and prints the counts of each target. Sets exit code 1 when a target failed. */
export async function backfillFromFile(file: string, given: BackfillCommandOptions): Promise<void> {
  const config = await readConfig(given.config);
  await withSource(file, given.format, (source) =>
    withDatabase('application', async (orm, info) => {
      const { pending } = await migrationGap(orm);
      if (pending.length > 0) throw new SchemaOutOfDateError(pending);
      if (!given.json) printDatabase(info);
      const { facts, targets } = await withFacts(source, given, config, (rows) =>
        backfillReferences(new Database(orm), config, rows),
      );
      if (targets.some(({ outcome }) => outcome !== 'done')) process.exitCode = 1;
      if (given.json) {
        const results = targets.map((target) => ({ ...target, error: target.error?.message ?? null }));
        return printJson({ database: info.database, facts, targets: results });
      }
      print(`${facts.toLocaleString('en')} facts were read.`);
      print(
        table(['target', 'entity', 'candidates', 'inserted', 'updated', 'skipped', ''], targets.map(cells)),
      );
    }),
  );
}

function cells({ name, entity, outcome, error, ...counts }: BackfilledTarget): string[] {
  const { candidates, inserted, updated, skipped } = counts;
  const numbers = [candidates, inserted, updated, skipped].map((count) => count.toLocaleString('en'));
  const failure = { done: '', failed: `failed: ${error?.message}`, skipped: 'skipped: a dependency failed' }[
    outcome
  ];
  return [name, entity, ...numbers, failure];
}

/** Runs `work` on the facts of the file, and shows its progress. */
async function withFacts<T>(
  source: Source,
  given: BackfillCommandOptions,
  config: BackfillConfig,
  work: (facts: AsyncIterable<object>) => Promise<T>,
): Promise<T> {
  const csv = csvOptionsOf(given, source.format);
  const progress = new LoadProgress(source.size);
  const onRead = (bytes: number): void => progress.read(bytes);
  const factsOf = (): AsyncIterable<object> => {
    if (source.format === 'parquet') return readParquetRows(source, [], { ...csv, onRead });
    const text = decodeText(source.bytes, { encoding: given.encoding, onRead });
    return source.format === 'csv' ? readCsvFacts(text, config, csv) : readJsonlRows(text, [], csv.json);
  };
  try {
    const facts = factsOf();
    const result = await work(progress.count(facts));
    if (!given.json) csv.json.print();
    return result;
  } catch (error) {
    if (!(error instanceof InvalidBackfillError)) throw error;
    throw new UsageError(`${given.config} is invalid: ${error.message}`, { cause: error });
  } finally {
    progress.stop();
  }
}

async function readConfig(file: string): Promise<BackfillConfig> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- validated by the backfill
    return JSON.parse(await readFile(file, 'utf8')) as BackfillConfig;
  } catch (cause) {
    const why = !isNativeError(cause)
      ? 'unknown'
      : cause.name === 'SyntaxError'
        ? 'it is not valid JSON'
        : cause.message;
    throw new UsageError(`${file} can't be read: ${why}`, { cause });
  }
}
