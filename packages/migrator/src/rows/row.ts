import type { Parents } from './parents.ts';
import type { Pools } from './pools.ts';
import { seededRandom } from './random.ts';
import { isSequence, type RowSpec } from './sets.ts';
import { isNullable, type Column, type Table } from './tables.ts';

/** A row: texts by column, null for NULL; a column that is missing gets its default. */
export type RowValues = ReadonlyMap<string, string | null>;

interface Parts {
  readonly template: RowValues;
  readonly spec: RowSpec;
  readonly pools: Pools;
  readonly parents: Parents;
  /** Decides which parents it gets. */
  readonly number: number;
  /** Decides the values that no other row has. */
  readonly fresh: number;
  /** What it refers to in its own table: the row before, itself, or any. */
  readonly tree: 'last' | 'itself' | 'any';
}

/** Returns a row; null when it needs a parent that does not exist. */
export function composeRow(
  table: Table,
  { template, spec, pools, parents, number, fresh, tree }: Parts,
): RowValues | null {
  const row = new Map<string, string | null>();
  const referring = new Set(table.foreignKeys.flatMap(({ columns }) => columns));
  const distinct = distinctColumns(table);
  for (const { name, isGenerated, isIdentity, default: given } of table.columns) {
    const value = spec.values.get(name);
    if (isGenerated) continue;
    if (value !== undefined) row.set(name, value);
    else if (isIdentity || isSequence(given) || spec.omitted?.has(name) === true || referring.has(name))
      continue;
    else if (distinct.has(name))
      row.set(name, pools.of(table, name).fresh?.(fresh) ?? template.get(name) ?? null);
    else if (template.has(name)) row.set(name, template.get(name) ?? null);
  }
  for (const key of table.foreignKeys) {
    if (key.columns.every((column) => row.has(column))) continue;
    const itself = tree === 'itself' ? toItself(table, key, row) : null;
    if (itself) {
      for (const [column, value] of itself) row.set(column, value);
      continue;
    }
    const chosen = parents.choose(table, key, {
      number,
      fixed: row,
      link: spec.link,
      isChain: tree === 'last' && key.target === table.name,
    });
    const isOmitted = key.columns.every((column) => spec.omitted?.has(column));
    if (chosen && !isOmitted) for (const [column, value] of chosen) row.set(column, row.get(column) ?? value);
    else if (!isNullable(table, key)) {
      const own = toItself(table, key, row);
      if (!own) return null;
      for (const [column, value] of own) row.set(column, value);
    }
  }
  return row;
}

/** The values by which a row refers to itself; null when its key is not known before. */
function toItself(table: Table, key: Table['foreignKeys'][number], row: RowValues): RowValues | null {
  if (key.target !== table.name) return null;
  const values = key.targetColumns.map((column) => row.get(column));
  if (values.some((value) => value === undefined)) return null;
  return new Map(key.columns.map((column, index) => [column, values[index] ?? null]));
}

/** Returns one column of each unique key, in which every row has another value. */
export function distinctColumns(table: Table): ReadonlySet<string> {
  const referring = new Set(table.foreignKeys.flatMap(({ columns }) => columns));
  const chosen = new Set<string>();
  for (const { columns, others } of table.keys) {
    const all = [...columns, ...others].flatMap(
      (name) => table.columns.find((column) => column.name === name) ?? [],
    );
    if (
      all.some(({ isIdentity, default: given, name }) => isIdentity || isSequence(given) || chosen.has(name))
    )
      continue;
    const [best] = all
      .filter(({ name }) => !referring.has(name))
      .map((column) => ({ column, rank: rankOf(table, column) }))
      // Of equal ones the last: the first is often a tenant's, which rows of several tables share.
      .toReversed()
      .toSorted((a, b) => a.rank - b.rank);
    if (best) chosen.add(best.column.name);
  }
  return chosen;
}

// Types with many values first; a column that decides the partition last.
function rankOf({ partitionColumns }: Table, { name, declared }: Column): number {
  const order = [/range$/, /uuid|text|char/, /int|numeric/, /timestamp/, /date/];
  const at = order.findIndex((type) => type.test(declared));
  return (at === -1 ? order.length : at) + (partitionColumns.includes(name) ? 10 : 0);
}

/** Returns the rows to try until one is accepted, most likely ones first. */
export function trialRows(
  table: Table,
  pools: Pools,
  known: RowValues | undefined,
): Record<'first' | 'checked' | 'random', () => RowValues[]> {
  const writable = table.columns.filter(({ isGenerated }) => !isGenerated);
  const valueOf = ({ name, notNull, default: given }: Column, index: number): [string, string | null][] => {
    const { values } = pools.of(table, name);
    const value = values[index % Math.max(values.length, 1)];
    if (value !== undefined) return [[name, value]];
    return notNull || given !== null ? [] : [[name, null]];
  };
  const plain = new Map(writable.flatMap((column) => valueOf(column, 0)));
  const checked = new Set(
    table.checks.filter(({ columns }) => columns.length !== 1).flatMap(({ columns }) => columns),
  );
  const least = new Map(
    writable
      .filter((column) => column.notNull && column.default === null)
      .flatMap((column) => valueOf(column, 0)),
  );
  const partial = new Map(
    writable.filter((column) => column.default === null).flatMap((column) => valueOf(column, 0)),
  );
  return {
    first: () => [...(known ? [known] : []), plain, partial, least],
    checked: () =>
      combinations(
        writable.filter(
          ({ name }) => checked.size === 0 || checked.has(name) || table.partitionColumns.includes(name),
        ),
        (column) => [...pools.of(table, column.name).values.slice(0, 12), ...(column.notNull ? [] : [null])],
      ).map((values) => new Map([...plain, ...values])),
    random: () => {
      const random = seededRandom(7);
      return Array.from(
        { length: 400 },
        () =>
          new Map(
            writable.flatMap((column): [string, string | null][] =>
              !column.notNull && random() < 0.3
                ? [[column.name, null]]
                : valueOf(column, Math.floor(random() * 50)),
            ),
          ),
      );
    },
  };
}

/** Returns at most 120 combinations of values, each column changed in turn. */
function combinations(
  columns: readonly Column[],
  valuesOf: (column: Column) => readonly (string | null)[],
): [string, string | null][][] {
  const pools = columns.map((column) => ({ name: column.name, values: valuesOf(column) }));
  const random = seededRandom(3);
  const pairs = pools.flatMap(({ name, values }) =>
    values.map((value): [string, string | null][] => [[name, value]]),
  );
  const mixed = Array.from({ length: 120 }, () =>
    pools.flatMap(({ name, values }): [string, string | null][] => {
      const value = values[Math.floor(random() * values.length)];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return [...pairs.slice(0, 40), ...mixed];
}

/** Returns the statement that inserts a row and returns what others refer to. */
export function insertStatement({ name, columns }: Table, row: RowValues, returning: string): string {
  const named = [...row.keys()];
  const identity = columns.some((column) => column.isIdentity && row.has(column.name))
    ? ' overriding system value'
    : '';
  const values =
    named.length === 0
      ? 'default values'
      : `(${named.map(quoteIdentifier).join(', ')})${identity} values (${[...row.values()].map(literal).join(', ')})`;
  return `insert into ${name} ${values} returning ${returning}`;
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Returns a text as a literal of SQL, also one with backslashes; NULL for null. */
export function literal(text: string | null): string {
  if (text === null) return 'null';
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
