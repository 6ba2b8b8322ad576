import { RefusedError } from '../session/errors.ts';

/** How `backfill` goes through a table. */
export interface BackfillOptions {
  /**
   * The column, or columns, in whose order it goes: without nulls, and the first of an index. What has a new value of them meanwhile
   * may be passed over or met twice, so `set` must leave them alone.
   */
  readonly by: string | readonly string[];
  /** What to set, as an UPDATE says it: `score = score * 100`. */
  readonly set: string;
  /** Which rows; all of them when absent. */
  readonly where?: string;
  /** How many rows of the table a transaction goes through, whether `where` takes them or not. Default 1,000. */
  readonly batch?: number;
  /** How long it rests between two, in milliseconds. Default 0. */
  readonly sleep?: number;
}

/** A backfill with nothing left unsaid. */
export interface Backfill {
  readonly table: string;
  readonly by: readonly string[];
  readonly set: string;
  readonly where: string | null;
  readonly batch: number;
  readonly sleep: number;
}

/**
 * An UPDATE of a whole table, for `addSql` in a migration that is not transactional. The migrator runs it batch by batch, each in a
 * transaction that also notes how far it came, so that one that was stopped goes on from there and no row is changed twice. Rows that
 * are inserted behind it are not changed: let the code write the new form first. Any other tool takes it for the one statement that
 * it is.
 *
 * @throws RefusedError when an option makes no sense.
 */
export function backfill(
  table: string,
  { by, set, where, batch = 1_000, sleep = 0 }: BackfillOptions,
): string {
  const said = { table, by: [by].flat(), set, where: where ?? null, batch, sleep };
  refuse(said);
  return textOf(said);
}

const mark = '-- backfill ';

/**
 * What `backfill` made a statement of; null for any other statement.
 *
 * @throws RefusedError when it was changed afterwards.
 */
export function backfillOf(statement: string): Backfill | null {
  if (!statement.startsWith(mark)) return null;
  const [first = ''] = statement.split('\n', 1);
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compared as a whole with what is made of it
    const said = JSON.parse(first.slice(mark.length)) as Backfill;
    if (textOf(said) === statement) return said;
  } catch {
    // Nothing that `backfill` wrote.
  }
  throw new RefusedError(
    `the text of a backfill was changed: call backfill() instead of copying its text: ${first}`,
  );
}

/** What a statement does, however fast: a backfill may be slowed down when half of it is done. */
export function withoutPace(statement: string): string {
  const found = backfillOf(statement);
  return found ? textOf({ ...found, batch: 0, sleep: 0 }) : statement;
}

/** @throws RefusedError when a migration in one transaction has a backfill, which would be one big transaction. */
export function refuseInTransaction(name: string, statements: readonly string[]): void {
  if (statements.some((statement) => backfillOf(statement))) {
    throw new RefusedError(
      `${name} runs a backfill in one transaction: return false from its isTransactional(), or use a plain UPDATE`,
    );
  }
}

// Migrations that are applied have this text, of which their checksums are made: it never changes. Each part ends with its line,
// so that a comment in it hides nothing.
function textOf({ table, by, set, where, batch, sleep }: Backfill): string {
  const marked = mark + JSON.stringify({ table, by, set, where, batch, sleep });
  const rows = where === null ? '' : `\nwhere (\n  ${where}\n)`;
  return `${marked}\nupdate ${quoted(table)} set\n  ${set}${rows}`;
}

/** A name, `schema.name` too, as SQL. */
export function quoted(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
}

function refuse({ table, by, set, where, batch, sleep }: Backfill): void {
  const wrong = (what: string): never => {
    throw new RefusedError(`backfill of ${JSON.stringify(table)}: ${what}`);
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
