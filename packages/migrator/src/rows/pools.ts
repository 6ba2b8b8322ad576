import { positions } from './conditions.ts';
import { freshValues, type Fresh } from './fresh.ts';
import type { Harvest } from './harvest.ts';
import { harvestedValues } from './more-values.ts';
import { tryValues, type ValuesToTry } from './server-functions.ts';
import { resolvedType, type Column, type Table, type TableCatalog } from './tables.ts';
import { isText, lengthOf, plainValues } from './values.ts';
import type { Session } from '../session/session.ts';

/** Values that a column accepts. */
export interface Pool {
  /** The plain one first, then those that SQL names. */
  readonly values: readonly string[];
  readonly named: ReadonlySet<string>;
  /** Makes a value that no other row has; null when none is known. */
  readonly fresh: Fresh | null;
  /** Whether these values are accepted on the other side of the migration too. */
  readonly freshLasts: boolean;
}

/** Which values a type with its checks accepts, as the server answered before: by type and checks, then by value. */
export type LearnedValues = Map<string, Map<string, boolean>>;

/** What pools are made of. */
export interface PoolSources {
  readonly tables: TableCatalog;
  /** The schema on the other side of the migration, whose types and lengths values must meet too. */
  readonly other: TableCatalog | null;
  readonly harvest: Harvest;
  readonly learned: LearnedValues;
}

const samples = [1, 2, 777, 5_004];
const none: Pool = { values: [], named: new Set(), fresh: null, freshLasts: false };

/** The values of all columns, by table and column. */
export class Pools {
  readonly #pools: ReadonlyMap<string, Pool>;

  private constructor(pools: ReadonlyMap<string, Pool>) {
    this.#pools = pools;
  }

  of(table: Table, column: string): Pool {
    return this.#pools.get(`${table.name} ${column}`) ?? none;
  }

  /** Tries the values of each column on the server, and keeps those that it accepts. */
  static async learn(session: Session, sources: PoolSources): Promise<Pools> {
    const { tables, learned } = sources;
    const drafts = tables.tables.flatMap((table) =>
      table.columns
        .filter(({ isGenerated }) => !isGenerated)
        .map((column) => draftOf(sources, table, column)),
    );
    const work: ValuesToTry[] = [];
    const known: Map<string, boolean>[] = [];
    for (const { trials, candidates, fresh } of drafts) {
      const made = fresh.flatMap((one) => samples.map((number) => one(number)));
      for (const { key, ...trial } of trials) {
        const values = learned.get(key) ?? new Map<string, boolean>();
        learned.set(key, values);
        const unknown = [...new Set([...candidates, ...made])].filter((value) => !values.has(value));
        // Another column of the same type may come later.
        for (const value of unknown) values.set(value, false);
        if (unknown.length === 0) continue;
        work.push({ ...trial, values: unknown });
        known.push(values);
      }
    }
    for (const [index, accepted] of (await tryValues(session, work)).entries())
      for (const [at, value] of (work[index]?.values ?? []).entries())
        known[index]?.set(value, accepted[at] ?? false);
    return new Pools(new Map(drafts.map((draft) => [draft.name, poolOf(draft, learned)])));
  }
}

function poolOf({ trials: [own, both], candidates, named, fresh }: Draft, learned: LearnedValues): Pool {
  const accepts = (trial: Trial, value: string): boolean => learned.get(trial.key)?.get(value) ?? false;
  const values = candidates.filter((value) => accepts(own, value));
  // A plain row has to survive the migration.
  const lasting = values.find((value) => accepts(both, value));
  const isFresh = (one: Fresh, trial: Trial): boolean =>
    samples.every((number) => accepts(trial, one(number)));
  const lastingFresh = fresh.find((one) => isFresh(one, both));
  return {
    // A check that no value meets alone may be met with another column.
    values:
      values.length === 0
        ? candidates
        : lasting === undefined
          ? values
          : [lasting, ...values.filter((value) => value !== lasting)],
    named: new Set(named.filter((value) => accepts(own, value))),
    fresh: lastingFresh ?? fresh.find((one) => isFresh(one, own)) ?? null,
    freshLasts: lastingFresh !== undefined,
  };
}

/** A column's type and checks, under which values are tried. */
interface Trial extends Omit<ValuesToTry, 'values'> {
  readonly key: string;
}

interface Draft {
  readonly name: string;
  /** With the checks of its table, and also with those of the other schema. */
  readonly trials: readonly [own: Trial, both: Trial];
  readonly candidates: readonly string[];
  readonly named: readonly string[];
  readonly fresh: readonly Fresh[];
}

function draftOf({ tables, other, harvest }: PoolSources, table: Table, column: Column): Draft {
  const { type, modifier } = resolvedType(tables, column.type, column.modifier);
  const length = type ? lengthOf(type, modifier) : null;
  const checks = checksOf(table, column);
  const found = other === null ? [] : columnsIn(other, harvest, table, column);
  const otherChecks = found.flatMap((one) =>
    one.column.name === column.name ? checksOf(one.table, one.column) : [],
  );
  const trialWith = (all: readonly string[]): Trial => ({
    key: JSON.stringify([column.declared, signatureOf(tables, column.type), all, column.name]),
    type: column.declared,
    column: column.name,
    check: all.length === 0 ? 'true' : all.map((check) => `(${check}) is not false`).join(' and '),
  });
  const named = [...harvestedValues(tables, column, harvest), ...ofOtherSide(other, harvest, table, column)];
  const plain = plainValues(tables, column.type, column.modifier);
  // A cast cuts what is too long; an assignment refuses it.
  const fits = (value: string): boolean => length === null || Array.from(value).length <= length;
  const candidates = [...new Set([...plain.slice(0, 1), ...named, ...plain])].filter(fits);
  return {
    name: `${table.name} ${column.name}`,
    trials: [trialWith(checks), trialWith([...new Set([...checks, ...otherChecks])])],
    candidates,
    named: named.filter(fits),
    fresh: freshValues(tables, column, harvest, candidates.slice(0, 8)),
  };
}

/** Returns the expressions that one column alone decides. */
function checksOf({ checks }: Table, { name }: Column): string[] {
  return checks
    .filter(({ columns }) => columns.length === 1 && columns[0] === name)
    .map(({ expression }) => expression);
}

/** Returns the same column in another schema. */
function columnsIn(
  other: TableCatalog,
  { renamed }: Harvest,
  { label, relation }: Table,
  { name }: Column,
): { readonly table: Table; readonly column: Column }[] {
  return other.tables
    .filter((table) => table.label === label || table.relation === renamed.get(relation))
    .flatMap((table) =>
      table.columns
        .filter((column) => column.name === name || column.name === renamed.get(name))
        .map((column) => ({ table, column })),
    );
}

/** Returns values at the limits of the same column in another schema. */
function ofOtherSide(other: TableCatalog | null, harvest: Harvest, table: Table, column: Column): string[] {
  if (!other) return [];
  return columnsIn(other, harvest, table, column).flatMap(({ column: one }) => {
    if (one.declared === column.declared) return [];
    const { type, modifier } = resolvedType(other, one.type, one.modifier);
    const length = type && isText(type) ? lengthOf(type, modifier) : null;
    const longer =
      length === null || length > 10_000 ? [] : [length, length + 1, 2 * length + 5].map(positions);
    return [...longer, ...plainValues(other, one.type, one.modifier)];
  });
}

/** Returns a text that is another one when a type is another one, although its name may be the same. */
function signatureOf({ types }: TableCatalog, oid: string): unknown {
  const type = types.get(oid);
  if (!type) return oid;
  return [
    type.name,
    type.labels,
    type.checks,
    type.notNull,
    type.modifier,
    type.of === null ? null : signatureOf({ types, tables: [] }, type.of),
  ];
}
