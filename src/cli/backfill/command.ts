import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { Database } from '../../database/database.ts';
import { unconnected } from '../../database/unconnected.ts';
import { InvalidBackfillError, SchemaOutOfDateError } from '../../errors.ts';
import { backfillReferences, type BackfillConfig, type BackfilledTarget } from '../../loading/index.ts';
import { migrationGap } from '../../migrator/index.ts';
import { csvRecords } from '../load/csv-rows.ts';
import { jsonlRows } from '../load/jsonl-rows.ts';
import { LoadProgress } from '../load/progress.ts';
import { formats, openSource, textOf, type Format } from '../load/source.ts';
import { say, sayJson, table } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { sayPlace, withDatabase } from '../with-database.ts';

interface Given {
  readonly config: string;
  readonly format?: Format;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `synthdb backfill` */
export function backfill(): Command {
  return new Command('backfill')
    .description('make or complete the parents that facts name, before the facts are loaded')
    .argument('[facts]', 'CSV with a heading, or a JSON object on each line; - for standard input', '-')
    .requiredOption('--config <file>', 'what to make of which properties of the facts, as JSON')
    .addOption(new Option('--format <format>', 'when the name of the file does not tell').choices(formats))
    .option(
      '--dry-run',
      'read the facts, and print the parents that they name and the statements; connect to nothing',
    )
    .option(
      '--json',
      'print { database, facts, targets: [{ name, entity, outcome, error, candidates, inserted, updated, skipped }] }, or { facts, targets: [{ name, entity, candidates }], statements: [{ sql, rows }] }, for programs',
    )
    .action((file: string, given: Given) => (given.dryRun ? plan(file, given) : execute(file, given)));
}

async function plan(file: string, given: Given): Promise<void> {
  const database = new Database(unconnected());
  const { facts, targets, statements } = await withFacts(file, given, (config, rows) =>
    backfillReferences(database, config, rows, { planOnly: true }),
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

function execute(file: string, given: Given): Promise<void> {
  return withDatabase('application', async (orm, place) => {
    const { pending } = await migrationGap(orm);
    if (pending.length > 0) throw new SchemaOutOfDateError(pending);
    if (!given.json) sayPlace(place);
    const { facts, targets } = await withFacts(file, given, (config, rows) =>
      backfillReferences(new Database(orm), config, rows),
    );
    if (targets.some(({ outcome }) => outcome !== 'done')) process.exitCode = 1;
    if (given.json) {
      const told = targets.map((target) => ({ ...target, error: target.error?.message ?? null }));
      return sayJson({ database: place.database, facts, targets: told });
    }
    say(`${facts.toLocaleString('en')} facts were read.`);
    say(table(['target', 'entity', 'candidates', 'inserted', 'updated', 'skipped', ''], targets.map(cells)));
  });
}

function cells({ name, entity, outcome, error, ...counts }: BackfilledTarget): string[] {
  const { candidates, inserted, updated, skipped } = counts;
  const numbers = [candidates, inserted, updated, skipped].map((count) => count.toLocaleString('en'));
  const failure = { done: '', failed: `failed: ${error?.message}`, left_out: 'left out' }[outcome];
  return [name, entity, ...numbers, failure];
}

/** Runs `work` on the configuration and the facts of the file, and shows how far it has come. */
async function withFacts<T>(
  file: string,
  given: Given,
  work: (config: BackfillConfig, facts: AsyncIterable<object>) => Promise<T>,
): Promise<T> {
  const config = await readConfig(given.config);
  const source = await openSource(file, given.format);
  const progress = new LoadProgress(source.size);
  const text = textOf(source.bytes, (bytes) => progress.read(bytes));
  const facts = source.format === 'csv' ? csvRecords(text) : jsonlRows(text, []);
  try {
    return await work(config, progress.counted(facts));
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
    const why =
      cause instanceof SyntaxError ? 'it is no JSON' : cause instanceof Error ? cause.message : 'unknown';
    throw new UsageError(`${file} can't be read: ${why}`, { cause });
  }
}
