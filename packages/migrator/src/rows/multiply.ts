import { rowsMark } from '../catalog/server-guard.ts';
import { describeServerError } from '../session/describe-server-error.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import type { Session } from '../session/session.ts';
import type { Fresh } from './fresh.ts';
import type { Pools } from './pools.ts';
import { meetNewChecks } from './first-rows.ts';
import { freshColumns, NumberedParents } from './numbered-parents.ts';
import { quoteIdentifier } from './row.ts';
import { isSequence } from './sets.ts';
import { longest, shapedValue, type ColumnShape } from './shaped-value.ts';
import { resolvedType, type Column, type Table, type TableCatalog } from './tables.ts';
import { isText, lengthOf } from './values.ts';

/** How a table is filled. */
export interface Multiplication {
  /** The table, with at least one row that the server accepted. */
  readonly table: Table;
  readonly tables: TableCatalog;
  /** The same table on the other side of the migration; undefined where it has none. */
  readonly other: Table | undefined;
  readonly otherTables: TableCatalog;
  readonly pools: Pools;
  /** How many rows it shall have. */
  readonly rows: number;
  /** The shapes of its columns, by name; every other column gets values of its existing rows. */
  readonly shapes: ReadonlyMap<string, ColumnShape>;
  /** Whether the columns of foreign keys that exist on both sides may have values without a parent. */
  readonly skipsReferences: boolean;
}

/** What a table has after it was filled. */
export interface FilledTable {
  /** Quoted as in SQL, without `public`. */
  readonly table: string;
  readonly rows: number;
  /** Why it has fewer rows than requested; null for one that has them. */
  readonly reason: string | null;
}

const chunk = 50_000;
// Existing rows whose values are repeated: the first ones, which every column's checks accept.
const baseRows = 3;
// The numbers of other generated rows are below. A fresh value is another one for each number.
const firstNumber = 10_000;

/**
 * Fills a table up to a number of rows, in the open transaction of `session`: copies of its first rows, with other values in a column of
 * each unique key, and in the columns that have a shape.
 */
export async function multiplyRows(session: Session, work: Multiplication): Promise<FilledTable> {
  const { table, rows } = work;
  let count = await countRows(session, table);
  if (count === 0) return { table: table.label, rows: 0, reason: 'no row could be generated' };
  if (count >= rows) return { table: table.label, rows: count, reason: null };
  await meetNewChecks(session, work);
  const parents = await NumberedParents.create(session, withKeysOf(table, work.other), work.pools);
  const statement = new MultiplyingInsert(work, parents);
  let skipsConflicts = false;
  for (let from = 0; count < rows; from += chunk) {
    const size = Math.min(chunk, rows - count);
    const outcome = await attempt(session, statement, { from, size, skipsConflicts });
    if (outcome.failed === '23505' && !skipsConflicts) {
      skipsConflicts = true;
      from -= chunk;
      continue;
    }
    if (outcome.failed !== null) return { table: table.label, rows: count, reason: outcome.reason };
    if (outcome.inserted === 0)
      return { table: table.label, rows: count, reason: 'its unique keys allow no more generated rows' };
    count += outcome.inserted;
  }
  return { table: table.label, rows: count, reason: null };
}

interface Chunk {
  readonly from: number;
  readonly size: number;
  readonly skipsConflicts: boolean;
}

type Outcome =
  | { readonly failed: null; readonly inserted: number }
  | { readonly failed: string; readonly reason: string };

async function attempt(session: Session, statement: MultiplyingInsert, part: Chunk): Promise<Outcome> {
  await session.query('savepoint migrator_multiply');
  try {
    const { sql, values } = statement.of(part);
    const [row] = await session.query<{ inserted: number }>(sql, values);
    await session.query('release savepoint migrator_multiply');
    return { failed: null, inserted: row?.inserted ?? 0 };
  } catch (error) {
    const failed = findSqlState(error);
    if (failed === '') throw error;
    await session.query('rollback to savepoint migrator_multiply');
    return { failed, reason: describeServerError(error, []) };
  }
}

async function countRows(session: Session, { name }: Table): Promise<number> {
  const [row] = await session.query<{ count: number }>(
    `${rowsMark}select count(*)::int as count from ${name}`,
  );
  return row?.count ?? 0;
}

/** The insert of a part of the rows. */
class MultiplyingInsert {
  readonly #work: Multiplication;
  readonly #parents: NumberedParents;
  readonly #fresh: readonly { readonly name: string; readonly fresh: Fresh; readonly column: Column }[];
  readonly #columns: readonly Column[];

  constructor(work: Multiplication, parents: NumberedParents) {
    const { table, other, pools } = work;
    this.#work = work;
    this.#parents = parents;
    const found = freshColumns(withKeysOf(table, other), pools);
    this.#columns = table.columns.filter(
      (column) => !column.isGenerated && !column.isIdentity && !isSequence(column.default),
    );
    this.#fresh = this.#columns.flatMap((column) => {
      const fresh = found.get(column.name);
      return fresh ? [{ name: column.name, fresh, column }] : [];
    });
  }

  of({ from, size, skipsConflicts }: Chunk): { readonly sql: string; readonly values: readonly unknown[] } {
    const { table } = this.#work;
    const names = this.#fresh.map((_, index) => `value_${index}`);
    const values = this.#fresh.map(({ name, fresh }) => {
      const shape = this.#work.shapes.get(name);
      return Array.from({ length: size }, (_, index) =>
        fresh(
          firstNumber +
            (shape?.isOrdered === false ? scattered(from + index, this.#work.rows) : from + index),
        ),
      );
    });
    const given =
      names.length === 0
        ? `generate_series(1, ${size}) with ordinality given(ordinal, number)`
        : `unnest(${names.map((_, index) => `$${index + 1}::text[]`).join(', ')}) with ordinality given(${names.join(', ')}, number)`;
    const columns = this.#columns.map(({ name }) => quoteIdentifier(name)).join(', ');
    const expressions = this.#columns.map((column) => this.#expressionOf(column)).join(', ');
    return {
      sql: `${rowsMark}with base as materialized (
          select *, row_number() over () - 1 as migrator_base, count(*) over () as migrator_count
          from (select * from ${table.name} limit ${baseRows}) row
        ), inserted as (
          insert into ${table.name} ${columns === '' ? '' : `(${columns})`}
          select ${expressions} from ${given}
            cross join lateral (select number + ${from} as n) numbered
            join base on migrator_base = n % migrator_count ${this.#parents.joins} order by n
          ${skipsConflicts ? 'on conflict do nothing' : ''} returning 1
        ) select count(*)::int as inserted from inserted`,
      values,
    };
  }

  #expressionOf(column: Column): string {
    const { table, tables, other, otherTables, shapes, rows, skipsReferences } = this.#work;
    const own = this.#fresh.findIndex(({ name }) => name === column.name);
    const shape = shapes.get(column.name);
    if (own >= 0) return `(${this.#padded(`value_${own}`, column, shape)})::${column.declared}`;
    const base = this.#parents.expressionOf(column.name) ?? `base.${quoteIdentifier(column.name)}`;
    if (!shape || !isFree(column.name, { table, other, skipsReferences })) return base;
    const same = other?.columns.find(({ name }) => name === column.name);
    const value = shapedValue({ tables, column, other: same, otherTables, shape, rows });
    return value ?? base;
  }

  /** Returns a distinct text with more at its end, as long as those of its shape, where no check depends on it. */
  #padded(value: string, { name, type, modifier }: Column, shape: ColumnShape | undefined): string {
    const { table, tables, other } = this.#work;
    const found = resolvedType(tables, type, modifier);
    const isChecked = [table, other].some((one) => one?.checks.some(({ columns }) => columns.includes(name)));
    if (!shape?.width || !found.type || !isText(found.type) || isChecked) return value;
    const length = lengthOf(found.type, found.modifier) ?? longest;
    return `left(${value} || repeat(md5(${value}), ${Math.ceil(shape.width / 32)}), greatest(length(${value}), ${Math.min(length, longest, shape.width - 1)}))`;
  }
}

/** Returns another number below `rows` for each number below it, scattered; those above are scattered among each other. */
function scattered(number: number, rows: number): number {
  // A prime that does not divide the number of rows.
  const factor = rows % 10_368_889 === 0 ? 7_368_787 : 10_368_889;
  return number - (number % rows) + (((number % rows) * factor) % rows);
}

/** Returns a table with the unique keys that it has on either side of the migration. */
export function withKeysOf(table: Table, other: Table | undefined): Table {
  const names = new Set(table.columns.map(({ name }) => name));
  const added = (other?.keys ?? []).filter(({ columns, others }) =>
    [...columns, ...others].every((name) => names.has(name)),
  );
  return { ...table, keys: [...table.keys, ...added] };
}

/** Whether no key, check, reference or partition depends on a column, so that it may have any value of its type. */
function isFree(
  name: string,
  { table, other, skipsReferences }: Pick<Multiplication, 'table' | 'other' | 'skipsReferences'>,
): boolean {
  const isKept = (key: string): boolean =>
    skipsReferences && [table, other].every((one) => one?.foreignKeys.some((found) => found.name === key));
  return [table, ...(other ? [other] : [])].every(
    ({ keys, checks, foreignKeys, partitionColumns }) =>
      !keys.some(({ columns, others }) => columns.includes(name) || others.includes(name)) &&
      !checks.some(({ columns }) => columns.includes(name)) &&
      !foreignKeys.some((key) => key.columns.includes(name) && !isKept(key.name)) &&
      !partitionColumns.includes(name),
  );
}
