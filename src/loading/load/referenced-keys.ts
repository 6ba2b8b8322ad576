import type { EntityManager } from '@mikro-orm/postgresql';
import { DatabaseError, escapeIdentifier } from 'pg';
import { DanglingReferenceError } from '../../errors.ts';
import type { CopiedValue } from '../../postgres/copy/binary-rows.ts';
import { tableName } from './column-sql.ts';
import type { LoadColumn } from './load-target.ts';

// Of each column. Most files reference few parents; keys beyond are not remembered, so that memory has a limit.
const most = 20_000;

/** Remembers which parents rows reference, and in which row first, so that the row of a missing one can be named. */
export class ReferencedKeys {
  readonly #columns: readonly { readonly column: LoadColumn; readonly rows: Map<string, number> }[];

  readonly #skipsRows: boolean;

  /** @param skipsRows whether the load may leave rows out, whose parents may be missing without an error. */
  constructor(columns: readonly LoadColumn[], { skipsRows }: { readonly skipsRows: boolean }) {
    this.#skipsRows = skipsRows;
    this.#columns = columns
      .filter(({ references }) => references !== null)
      .map((column) => ({ column, rows: new Map<string, number>() }));
  }

  /** Adds the value of a column in a row. */
  add(column: LoadColumn, value: CopiedValue, row: number): void {
    if (typeof value !== 'string' || column.references === null) return;
    const rows = this.#columns.find((one) => one.column === column)?.rows;
    if (rows && rows.size < most && !rows.has(value)) rows.set(value, row);
  }

  /** Returns the error of a load with the first row whose parent is missing; unchanged where that is not known. */
  async locate(error: DanglingReferenceError, em: EntityManager): Promise<DanglingReferenceError> {
    if (error.row !== undefined) return error;
    const found = [];
    const reported = this.#columns.filter(({ column }) => isReported(error, column, ''));
    for (const { column, rows } of reported.length > 0 ? reported : this.#columns) {
      const absent = await missingKeys(em, column, [...rows.keys()]);
      // Of a row that was left out, the server reports nothing.
      const missing = this.#skipsRows ? absent.filter((key) => isReported(error, column, `${key})`)) : absent;
      const numbers = missing.flatMap((key) => rows.get(key) ?? []);
      if (numbers.length > 0) found.push({ column, row: Math.min(...numbers) });
    }
    const [first] = found.toSorted((a, b) => a.row - b.row);
    if (!first) return error;
    const { property, name, references } = first.column;
    const { table, constraint } = error;
    return new DanglingReferenceError(
      `${property} references a missing ${references?.entity}`,
      { table, constraint, column: name, row: first.row },
      { cause: error.cause },
    );
  }
}

/** Whether the error of the server is about a value of a column that begins with `value`. */
function isReported({ cause }: DanglingReferenceError, { name }: LoadColumn, value: string): boolean {
  return cause instanceof DatabaseError && cause.detail?.includes(`(${name})=(${value}`) === true;
}

async function missingKeys(
  em: EntityManager,
  { references }: LoadColumn,
  keys: readonly string[],
): Promise<string[]> {
  if (references === null || keys.length === 0) return [];
  const { schema, table, column } = references;
  const parents = tableName({ schema, table });
  const missing = await em.execute<{ key: string }[]>(
    `select key from jsonb_array_elements_text(?::jsonb) key where not exists (select from ${parents} where ${escapeIdentifier(column)}::text = key)`,
    [JSON.stringify(keys)],
  );
  return missing.map(({ key }) => key);
}
