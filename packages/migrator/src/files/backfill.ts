import { MigrationRefusedError } from '../session/errors.ts';

/** The UPDATE of a `backfill`, and its batches. */
export interface BackfillUpdate {
  /**
   * The column or columns that order the batches: without NULLs, and the first of an index. A row whose key changes meanwhile may be
   * skipped or updated twice, so `set` must not change the key.
   */
  readonly by: string | readonly string[];
  /** The SET clause of the UPDATE: `score = score * 100`. */
  readonly set: string;
  /** The WHERE clause; all rows when absent. */
  readonly where?: string;
  /** The number of rows that a transaction reads, including those that do not match `where`. Default 1,000. */
  readonly batch?: number;
  /** The pause between two batches, in milliseconds. Default 0. */
  readonly sleep?: number;
}

/** A backfill with its defaults. */
export interface Backfill {
  readonly table: string;
  readonly by: readonly string[];
  readonly set: string;
  readonly where: string | null;
  readonly batch: number;
  readonly sleep: number;
}

/**
 * Returns an UPDATE of a whole table, for `addSql` in a migration that is not transactional. The migrator runs it in batches, each in a
 * transaction that also records the checkpoint: after an interruption it resumes there, and no row is changed twice. Rows that are
 * inserted behind the checkpoint are not changed: deploy the code that writes the new form first. Other tools run it as one
 * statement.
 *
 * @throws MigrationRefusedError when an option is invalid.
 */
export function backfill(
  table: string,
  { by, set, where, batch = 1_000, sleep = 0 }: BackfillUpdate,
): string {
  const options = { table, by: [by].flat(), set, where: where ?? null, batch, sleep };
  refuse(options);
  return textOf(options);
}

const mark = '-- backfill ';

/**
 * Parses a statement of `backfill`; returns null for any other statement.
 *
 * @throws MigrationRefusedError when it was changed afterwards.
 */
export function parseBackfill(statement: string): Backfill | null {
  if (!statement.startsWith(mark)) return null;
  const [first = ''] = statement.split('\n', 1);
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- validated by formatting it again
    const options = JSON.parse(first.slice(mark.length)) as Backfill;
    if (textOf(options) === statement) return options;
  } catch {
    // Not a text of `backfill`.
  }
  throw new MigrationRefusedError(
    `the text of a backfill was changed: call backfill() instead of copying its text: ${first}`,
  );
}

/** Returns a statement without the batch size and pause of a backfill, which may change while it runs. */
export function withoutBatchOptions(statement: string): string {
  const found = parseBackfill(statement);
  return found ? textOf({ ...found, batch: 0, sleep: 0 }) : statement;
}

/** @throws MigrationRefusedError when a migration in one transaction has a backfill, which would be one big transaction. */
export function refuseTransactionalBackfill(name: string, statements: readonly string[]): void {
  if (statements.some((statement) => parseBackfill(statement))) {
    throw new MigrationRefusedError(
      `${name} runs a backfill in one transaction: return false from its isTransactional(), or use a plain UPDATE`,
    );
  }
}

// The checksums of applied migrations include this text, so it must never change. Each part ends with its line, so that a comment in it
// hides nothing.
function textOf({ table, by, set, where, batch, sleep }: Backfill): string {
  const marked = mark + JSON.stringify({ table, by, set, where, batch, sleep });
  const rows = where === null ? '' : `\nwhere (\n  ${where}\n)`;
  return `${marked}\nupdate ${quoteName(table)} set\n  ${set}${rows}`;
}

/** Quotes a name, or `schema.name`, as SQL. */
export function quoteName(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
}

function refuse({ table, by, set, where, batch, sleep }: Backfill): void {
  const wrong = (what: string): never => {
    throw new MigrationRefusedError(`backfill of ${JSON.stringify(table)}: ${what}`);
  };
  if (table.trim() === '') wrong('table is empty');
  if (by.length === 0 || by.some((column) => column.trim() === ''))
    wrong('by is empty, or has an empty name');
  if (set.trim() === '') wrong('set is empty');
  if (where?.trim() === '') wrong('where is empty; omit it for all rows');
  if (!Number.isInteger(batch) || batch < 1)
    wrong(`batch: ${batch} is not a number of rows; use a whole number from 1`);
  if (!(sleep >= 0 && sleep < 2 ** 31)) wrong(`sleep: ${sleep} is not a time in milliseconds`);
}
