import type { Session } from '../session/session.ts';
import type { ForeignKey, Table, TableCatalog } from './tables.ts';

/** The values of a row that other rows refer to, as texts by column. */
type ReferredValues = Readonly<Record<string, string | null>>;

interface Parent {
  readonly values: ReferredValues;
  readonly link: number | undefined;
}

/** The rows that others may refer to. Every third one gets no child, the first gets many. */
export class Parents {
  readonly #rows = new Map<string, Parent[]>();
  readonly #columns: ReadonlyMap<string, readonly string[]>;
  readonly #used = new Map<string, number>();

  private constructor(columns: ReadonlyMap<string, readonly string[]>) {
    this.#columns = columns;
  }

  /** Begins with the rows that the tables have. */
  static async load(session: Session, { tables }: TableCatalog): Promise<Parents> {
    const columns = new Map<string, Set<string>>();
    for (const { foreignKeys } of tables)
      for (const { target, targetColumns } of foreignKeys) {
        const named = columns.get(target) ?? new Set<string>();
        columns.set(target, named);
        for (const column of targetColumns) named.add(column);
      }
    const parents = new Parents(new Map([...columns].map(([table, named]) => [table, [...named]])));
    if (columns.size === 0) return parents;
    const found = await session.query<{ name: string; values: ReferredValues }>(
      [...columns.keys()]
        .map(
          (name) =>
            `(select '${name.replaceAll("'", "''")}' as name, ${parents.returning(name)} as values from ${name} limit 60)`,
        )
        .join(' union all '),
    );
    for (const { name, values } of found) parents.add(name, values, undefined);
    return parents;
  }

  /** Returns an expression of the values of a table's row that others refer to. */
  returning(table: string): string {
    const columns = this.#columns.get(table) ?? [];
    const pairs = columns.map(
      (name) => `'${name.replaceAll("'", "''")}', "${name.replaceAll('"', '""')}"::text`,
    );
    return `jsonb_build_object(${pairs.join(', ')})`;
  }

  add(table: string, values: ReferredValues, link: number | undefined): void {
    const rows = this.#rows.get(table) ?? [];
    this.#rows.set(table, rows);
    if (this.#columns.has(table)) rows.push({ values, link });
  }

  /** How many rows of a table others may refer to. */
  count(table: string): number {
    return this.#rows.get(table)?.length ?? 0;
  }

  /**
   * Returns the values of a foreign key's columns for the row of that number; null when no row can be referred to. `fixed` are columns that
   * have values already.
   */
  choose(
    table: Table,
    key: ForeignKey,
    {
      number,
      fixed,
      link,
      isChain,
    }: {
      readonly number: number;
      readonly fixed: ReadonlyMap<string, string | null>;
      readonly link: number | undefined;
      /** Whether to refer to the row that was added last. */
      readonly isChain: boolean;
    },
  ): ReadonlyMap<string, string | null> | null {
    const pairs = key.columns.map((column, index) => [column, key.targetColumns[index] ?? ''] as const);
    const all = (this.#rows.get(key.target) ?? []).filter(({ values }) =>
      pairs.every(([column, target]) => !fixed.has(column) || fixed.get(column) === values[target]),
    );
    const linked = link === undefined ? undefined : all.find((row) => row.link === link);
    const chosen = linked ?? (isChain ? all.at(-1) : this.#next(table, key, all, number));
    if (!chosen) return null;
    return new Map(pairs.map(([column, target]) => [column, chosen.values[target] ?? null]));
  }

  #next(table: Table, key: ForeignKey, all: readonly Parent[], number: number): Parent | undefined {
    const withChildren = all.filter((_, index) => index % 3 !== 2);
    const position = stepOf(table, key, (name) => this.count(name), number);
    if (position !== null && !isOneToOne(table, key)) return all[position % Math.max(all.length, 1)];
    const name = `${table.name} ${key.columns.join()}`;
    const used = this.#used.get(name) ?? 0;
    this.#used.set(name, used + 1);
    if (isOneToOne(table, key)) return withChildren[used];
    return used % 2 === 0 ? withChildren[0] : withChildren[(used >> 1) % Math.max(withChildren.length, 1)];
  }
}

/** Whether a parent has one child at most. */
export function isOneToOne({ keys }: Table, { columns }: ForeignKey): boolean {
  return keys.some(
    (key) =>
      !key.isPartial &&
      !key.isExclusion &&
      key.columns.length > 0 &&
      key.others.length === 0 &&
      key.columns.every((column) => columns.includes(column)),
  );
}

/** Whether several foreign keys together form a unique key, as in a table that joins others. */
export function isJoin({ keys, foreignKeys }: Table): boolean {
  const referring = new Set(foreignKeys.flatMap(({ columns }) => columns));
  return keys.some(({ columns }) => columns.length > 1 && columns.every((column) => referring.has(column)));
}

// Another pair of parents for each row.
function stepOf(
  table: Table,
  key: ForeignKey,
  count: (name: string) => number,
  number: number,
): number | null {
  if (!isJoin(table)) return null;
  const counts = table.foreignKeys.map(({ target }) => Math.max(count(target), 1));
  const [first = 1, second = 1] = counts;
  const at = table.foreignKeys.indexOf(key);
  // Both advance with each row, and the others once more whenever the pairs would repeat.
  const round = Math.floor(number / leastCommonMultiple(first, second));
  return (number + at * round) % (counts[at] ?? 1);
}

function leastCommonMultiple(one: number, other: number): number {
  let [a, b] = [one, other];
  while (b > 0) [a, b] = [b, a % b];
  return (one / a) * other;
}
