import type { ColumnCondition } from './conditions.ts';
import type { Harvest } from './harvest.ts';
import type { Pools } from './pools.ts';
import type { Table } from './tables.ts';

/** The sets of rows, each inserted apart from the others, because one failing row hides what others show. */
export const rowSets = ['plain', 'nulls', 'edges', 'pairs'] as const;
export type RowSet = (typeof rowSets)[number];

/** What distinguishes a row from a plain one. */
export interface RowSpec {
  /** Values of columns; null for NULL. */
  readonly values: ReadonlyMap<string, string | null>;
  /** Columns that get their default. */
  readonly omitted?: ReadonlySet<string>;
  /** Rows of several tables with one link refer to each other. */
  readonly link?: number;
}

/** What specs are made of. */
export interface SpecSources {
  readonly pools: Pools;
  readonly harvest: Harvest;
  readonly random: () => number;
  /** How many rows a table may have. */
  readonly limit: number;
}

/** Returns the rows of a set for a table that the migration touches, besides plain ones. */
export function specsOf(set: RowSet, table: Table, sources: SpecSources): RowSpec[] {
  return makers[set](table, sources);
}

const makers: Readonly<Record<RowSet, (table: Table, sources: SpecSources) => RowSpec[]>> = {
  plain: varied,
  nulls: withNulls,
  edges: oneAtATime,
  pairs: (table, sources) => [...ofConditions(table, sources), ...randomRows(table, sources)],
};

function writable(table: Table) {
  const referring = new Set(table.foreignKeys.flatMap(({ columns }) => columns));
  return table.columns.filter(
    ({ name, isGenerated, isIdentity }) => !isGenerated && !isIdentity && !referring.has(name),
  );
}

function varied(table: Table, { pools }: SpecSources): RowSpec[] {
  return [1, 2, 3].map((number) => ({
    values: new Map(
      writable(table).flatMap(({ name, default: given }) => {
        const { values } = pools.of(table, name);
        const value = values[number % Math.min(values.length, 4)];
        return value === undefined || isSequence(given) ? [] : [[name, value]];
      }),
    ),
  }));
}

/** Whether a default draws a number of a sequence. */
export function isSequence(text: string | null): boolean {
  return text !== null && /\bnextval\(/.test(text);
}

function nulls(names: readonly string[]): RowSpec {
  return { values: new Map(names.map((name) => [name, null])) };
}

function withNulls(table: Table, { limit }: SpecSources): RowSpec[] {
  const nullable = table.columns
    .filter(({ notNull, isGenerated }) => !notNull && !isGenerated)
    .map(({ name }) => name);
  const withDefault = table.columns.filter((column) => column.default !== null).map(({ name }) => name);
  return [
    { values: new Map(), omitted: new Set([...nullable, ...withDefault]) },
    nulls(nullable),
    nulls(nullable),
    ...nullable.map((name) => nulls([name])),
    ...nullable.map((name) => nulls(nullable.filter((one) => one !== name))),
  ].slice(0, Math.max(limit, 12));
}

/** One value changed in each row: the first of each column, then the second, those that SQL names before others. */
function oneAtATime(table: Table, { pools, harvest, limit }: SpecSources): RowSpec[] {
  const columns = writable(table)
    .map(({ name }) => ({
      name,
      isNamed: harvest.words.has(name.toLowerCase()),
      pool: pools.of(table, name),
    }))
    .toSorted((a, b) => Number(b.isNamed) - Number(a.isNamed))
    .map(({ name, isNamed, pool }) => ({
      name,
      // What a check names concerns every row; what the migration names concerns what it does.
      values: pool.values.toSorted((a, b) => Number(pool.named.has(b)) - Number(pool.named.has(a))),
      isNamed,
    }));
  const specs: RowSpec[] = [];
  const rounds = Math.max(0, ...columns.map(({ values }) => values.length));
  for (const isNamed of [true, false])
    for (let round = 0; round < rounds; round++)
      for (const column of columns) {
        const value = column.values[round];
        if (column.isNamed === isNamed && value !== undefined && specs.length < limit)
          specs.push({ values: new Map([[column.name, value]]) });
      }
  return specs;
}

/** Rows that meet all conditions of an AND, and all but one. */
function ofConditions(table: Table, { pools, harvest }: SpecSources): RowSpec[] {
  const specs: RowSpec[] = [];
  const names = new Set(writable(table).map(({ name }) => name));
  for (const [link, conditions] of harvest.conjunctions.slice(0, 25).entries()) {
    const own = conditions.filter(({ column }) => names.has(column));
    if (own.length === 0) continue;
    const meeting = (failing: ColumnCondition | null): ReadonlyMap<string, string | null> =>
      new Map(
        own.flatMap((condition): [string, string | null][] => {
          const [given] = condition === failing ? condition.fails : condition.holds;
          const value = given === undefined ? anotherThan(condition, condition === failing) : given;
          return value === undefined ? [] : [[condition.column, value]];
        }),
      );
    const anotherThan = ({ column, holds, fails }: ColumnCondition, isFailing: boolean): string | undefined =>
      pools.of(table, column).values.find((value) => !(isFailing ? holds : fails).includes(value));
    specs.push(
      { values: meeting(null), link },
      ...own.map((failing) => ({ values: meeting(failing), link })),
      ...own.flatMap(({ column, holds }) =>
        holds.slice(1, 4).map((value) => ({ values: new Map([...meeting(null), [column, value]]), link })),
      ),
    );
  }
  return specs.slice(0, 120);
}

function randomRows(table: Table, { pools, random, limit }: SpecSources): RowSpec[] {
  const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  return Array.from({ length: Math.min(limit, 60) }, () => ({
    values: new Map(
      writable(table).flatMap(({ name, notNull, default: given }): [string, string | null][] => {
        const { values, named } = pools.of(table, name);
        const chance = random();
        if (isSequence(given) || chance < 0.3) return [];
        if (!notNull && chance < 0.45) return [[name, null]];
        const value = named.size > 0 && random() < 0.6 ? pick([...named]) : pick(values);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
  }));
}
