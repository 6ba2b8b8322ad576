import type { Rows, TableRows } from './read-rows.ts';

/** What was lost or changed of the rows. */
export interface RowDifference {
  readonly schema: string;
  readonly table: string;
  /** Null for rows, or a whole table. */
  readonly column: string | null;
  /** `table.column`, or `table`; quoted as in SQL. */
  readonly object: string;
  readonly what: string;
  /** How many rows it concerns. */
  readonly rows: number;
}

/** Rows that were set aside in between, so that they can't be compared: by table, the texts of their keys; null for unknown ones. */
export type SetAsideRows = ReadonlyMap<string, ReadonlySet<string> | null>;

/** Returns what differs between the rows before and after a direction and its opposite. */
export function compareRows(before: Rows, after: Rows, setAside: SetAsideRows = new Map()): RowDifference[] {
  const found = [...before.tables.values()].flatMap((table) => {
    const other = after.tables.get(table.label);
    const aside = setAside.get(table.label);
    if (!other) return [of(table, null, 'the table is missing', table.rows.length)];
    if (aside === null) return [];
    return compareTables(table, other, aside ?? new Set());
  });
  const added = [...after.tables.values()]
    .filter(({ label, rows }) => !before.tables.has(label) && rows.length > 0)
    .map((table) => of(table, null, 'the table is left behind', table.rows.length));
  const sequences = [...before.sequences].flatMap(
    ([label, { schema, name, next, owner }]): RowDifference[] => {
      const now = after.sequences.get(label)?.next;
      const owning = owner && after.tables.get(owner.table);
      // A table that lost all its rows may use their numbers again.
      const isEmptied = owner !== null && (owning?.rows.length ?? 0) === 0;
      if (now === undefined || now >= next || isEmptied) return [];
      const what = `the sequence ${label} returns numbers again: next ${now}, was ${next}`;
      if (owner && owning) return [of(owning, owner.column, what, 0)];
      return [{ schema, table: name, column: null, object: label, what, rows: 0 }];
    },
  );
  return [...found, ...added, ...sequences];
}

function of(
  { schema, relation, label }: TableRows,
  column: string | null,
  what: string,
  rows: number,
): RowDifference {
  const plain = column !== null && /^[a-z_][a-z0-9_$]*$/.test(column);
  const object = column === null ? label : `${label}.${plain ? column : `"${column.replaceAll('"', '""')}"`}`;
  return { schema, table: relation, column, object, what, rows };
}

function compareTables(one: TableRows, other: TableRows, aside: ReadonlySet<string>): RowDifference[] {
  const missing = one.columns
    .filter((column) => !other.columns.includes(column))
    // A column without a value loses none.
    .flatMap((column) => {
      const at = one.columns.indexOf(column);
      const count = one.rows.filter((row) => row[at] !== null).length;
      return count === 0 ? [] : [of(one, column, 'the column is missing', count)];
    });
  const shared = one.columns.filter((column) => other.columns.includes(column));
  const key =
    one.key?.every((column) => shared.includes(column)) && other.key?.join() === one.key.join()
      ? one.key
      : null;
  const differing = key ? byKey(one, other, { key, shared, aside }) : null;
  return [...missing, ...(differing ?? asMultisets(one, other, shared))];
}

type RowTexts = TableRows['rows'][number];

/** Returns the text of a row's key. */
export function keyText({ columns }: TableRows, key: readonly string[], row: RowTexts): string {
  return JSON.stringify(key.map((column) => row[columns.indexOf(column)]));
}

/** Returns null when no key is on both sides, so that the rows can't be matched. */
function byKey(
  one: TableRows,
  other: TableRows,
  {
    key,
    shared,
    aside,
  }: {
    readonly key: readonly string[];
    readonly shared: readonly string[];
    readonly aside: ReadonlySet<string>;
  },
): RowDifference[] | null {
  const found = new Map(other.rows.map((row) => [keyText(other, key, row), row]));
  const expected = new Map(
    one.rows.map((row) => [keyText(one, key, row), row] as const).filter(([text]) => !aside.has(text)),
  );
  const common = [...expected].filter(([text]) => found.has(text));
  if (common.length === 0 && expected.size > 0 && found.size > 0) return null;
  const lost = [...expected.keys()].filter((text) => !found.has(text));
  const added = [...found.keys()].filter((text) => !expected.has(text) && !aside.has(text));
  const changed = shared.flatMap((column) => {
    const [from, to] = [one.columns.indexOf(column), other.columns.indexOf(column)];
    const differing = common.filter(([text, row]) => row[from] !== found.get(text)?.[to]);
    const [first] = differing;
    if (!first) return [];
    const [text, row] = first;
    const what = `${excerpt(row[from])} becomes ${excerpt(found.get(text)?.[to])}`;
    return [of(one, column, what, differing.length)];
  });
  return [
    ...(lost.length > 0 ? [of(one, null, `rows are missing, such as ${excerpt(lost[0])}`, lost.length)] : []),
    ...(added.length > 0
      ? [of(one, null, `rows are added, such as ${excerpt(added[0])}`, added.length)]
      : []),
    ...changed,
  ];
}

/** Compares the values of each column, then whole rows, however they are ordered. */
function asMultisets(one: TableRows, other: TableRows, shared: readonly string[]): RowDifference[] {
  const difference = one.rows.length - other.rows.length;
  if (difference !== 0)
    return [of(one, null, difference > 0 ? 'rows are missing' : 'rows are added', Math.abs(difference))];
  const count = (columns: readonly string[]): number => {
    const found = valuesOf(other, columns);
    return valuesOf(one, columns).filter((text, index) => text !== found[index]).length;
  };
  const changed = shared
    .map((column) => ({ column, rows: count([column]) }))
    .filter(({ rows }) => rows > 0)
    .map(({ column, rows }) => of(one, column, 'values differ', rows));
  if (changed.length > 0) return changed;
  const rows = count(shared);
  return rows > 0 ? [of(one, null, 'values are in other rows', rows)] : [];
}

function valuesOf(table: TableRows, columns: readonly string[]): string[] {
  const at = columns.map((column) => table.columns.indexOf(column));
  return table.rows.map((row) => JSON.stringify(at.map((index) => row[index]))).toSorted();
}

function excerpt(value: string | null | undefined): string {
  if (value === null || value === undefined) return 'NULL';
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}
