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
import { say, sayJson, table, UsageError } from 'mikro-orm-safe-migrations/cli';
import { csvRecords } from '../load/csv-rows.ts';
import { jsonlRows } from '../load/jsonl-rows.ts';
import { LoadProgress } from '../load/progress.ts';
import { textOf, withSource, type Source } from '../load/source.ts';
import { describePlace, withDatabase } from '../with-database.ts';
import type { Given } from './command.ts';

/** Reads the facts, and says what would be made of them. */
export async function plan(file: string, given: Given): Promise<void> {
  const config = await readConfig(given.config);
  const { facts, targets, statements } = await withSource(file, given.format, (source) =>
    withFacts(source, given, (rows) => planBackfill(config, rows)),
  );
  if (given.json) return sayJson({ facts, targets, statements });
  say(`${facts.toLocaleString('en')} facts can be read.`);
  say(
    table(
      ['target', 'entity', 'candidates'],
      targets.map(({ name, entity, candidates }) => [name, entity, candidates.toLocaleString('en')]),
    ),
  );
  say('This would be sent:');
  for (const { sql, rows } of statements) say(`  ${sql};${rows > 0 ? ` -- ${rows} rows` : ''}`);
}

/** Makes and completes the parents, and says what became of them. */
export async function execute(file: string, given: Given): Promise<void> {
  const config = await readConfig(given.config);
  await withSource(file, given.format, (source) =>
    withDatabase('application', async (orm, place) => {
      const { pending } = await migrationGap(orm);
      if (pending.length > 0) throw new SchemaOutOfDateError(pending);
      if (!given.json) say(describePlace(place));
      const { facts, targets } = await withFacts(source, given, (rows) =>
        backfillReferences(new Database(orm), config, rows),
      );
      if (targets.some(({ outcome }) => outcome !== 'done')) process.exitCode = 1;
      if (given.json) {
        const told = targets.map((target) => ({ ...target, error: target.error?.message ?? null }));
        return sayJson({ database: place.database, facts, targets: told });
      }
      say(`${facts.toLocaleString('en')} facts were read.`);
      say(
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

/** Runs `work` on the facts of the file, and shows how far it has come. */
async function withFacts<T>(
  source: Source,
  given: Given,
  work: (facts: AsyncIterable<object>) => Promise<T>,
): Promise<T> {
  const progress = new LoadProgress(source.size);
  const text = textOf(source.bytes, (bytes) => progress.read(bytes));
  const facts = source.format === 'csv' ? csvRecords(text) : jsonlRows(text, []);
  try {
    return await work(progress.counted(facts));
  } catch (error) {
    if (!(error instanceof InvalidBackfillError)) throw error;
    throw new UsageError(`${given.config} can't be used: ${error.message}`, { cause: error });
  } finally {
    progress.stop();
  }
}

async function readConfig(file: string): Promise<BackfillConfig> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked by the backfill, whoever wrote it
    return JSON.parse(await readFile(file, 'utf8')) as BackfillConfig;
  } catch (cause) {
    const why = !isNativeError(cause)
      ? 'unknown'
      : cause.name === 'SyntaxError'
        ? 'it is no JSON'
        : cause.message;
    throw new UsageError(`${file} can't be read: ${why}`, { cause });
  }
}
