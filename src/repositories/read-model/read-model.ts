import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Tables, Values } from '../../entities/tables.ts';
import {
  filterBuilder,
  type AnyFilter,
  type FilterBuilder,
  type Filters,
  type FiltersOf,
} from './filters.ts';

type Table = keyof Tables;
type ColumnOf<T extends Table> = keyof Tables[T] & string;
type Direction = 'asc' | 'desc';

/** What a read model shows: each property by its column, or by an expression over the row. */
export type Selection<T extends Table> = Readonly<Record<string, ColumnOf<T> | ExpressionOf<T>>>;

/** A row as a selection shows it: times as `Date`, conditions as `boolean`. */
type RowOf<T extends Table, S extends Selection<T>> = {
  readonly [Property in keyof S]: S[Property] extends keyof Values[T]
    ? Values[T][S[Property]]
    : S[Property] extends (...given: never) => Expression<infer Value>
      ? SqlBool extends Value
        ? boolean
        : Value
      : never;
};

type ExpressionOf<T extends Table> = (eb: ExpressionBuilder<Tables, T>) => Expression<unknown>;
type OrderItem<T extends Table> = ColumnOf<T> | { readonly desc: ColumnOf<T> | ExpressionOf<T> };
type Sorts<T extends Table> = Readonly<Record<string, ColumnOf<T> | readonly OrderItem<T>[]>>;

interface Declaration<
  T extends Table,
  S extends Selection<T>,
  O extends Sorts<T>,
  F extends Filters<T>,
  Shown,
> {
  readonly from: T;
  readonly select: S;
  /**
   * The keys that a list can be sorted by, each with its column; the first is the default. Or with several columns and expressions, whose
   * directions are fixed: for lists that are read as a whole.
   */
  readonly sorts: O;
  /** The direction of a list that is asked for none; default `desc`. */
  readonly direction?: Direction | undefined;
  /** The column that orders rows of equal sort values; default the key. */
  readonly tie?: ColumnOf<T> | undefined;
  readonly filters?: ((by: FilterBuilder<T>) => F) | undefined;
  /** Turns a row into what is shown; default the row itself. */
  readonly map?: ((row: RowOf<T, S>) => Shown) | undefined;
}

type AnyExpression = (eb: never) => Expression<unknown>;

/** What is shown of a table's rows, and how they can be listed. */
export interface ReadModel<Shown, Given extends object, SortKey extends string, T extends string = string> {
  readonly from: T;
  readonly select: Readonly<Record<string, string | AnyExpression>>;
  readonly sorts: Readonly<
    Record<string, string | readonly (string | { readonly desc: string | AnyExpression })[]>
  >;
  readonly sortKeys: readonly [SortKey, ...SortKey[]];
  readonly direction: Direction;
  readonly tie: string | undefined;
  readonly filters: readonly (readonly [name: string, filter: AnyFilter])[];
  /** The filter by a parent whose row must exist, and its table. */
  readonly parent: { readonly filter: string; readonly table: string } | undefined;
  readonly map: ((row: never) => unknown) | undefined;
  /** Never set: the types of what it shows, and of what its lists are given. */
  readonly shown?: Shown;
  readonly given?: Given;
}

// oxlint-disable-next-line typescript/no-explicit-any -- of any value and any arguments
export type AnyReadModel = ReadModel<any, any, string>;

/** What a read model shows of a row. */
export type ShownBy<Model extends AnyReadModel> = NonNullable<Model['shown']>;

/** The keys that the lists of a read model can be sorted by. */
export type SortKeyOf<Model extends AnyReadModel> = Model['sortKeys'][number];

/** Declares a read model. Its rows by key, lists, pages, cursor pages and counts follow from this (`ReadModelReader`). */
export function readModel<
  T extends Table,
  const S extends Selection<T>,
  const O extends Sorts<T>,
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- no filters
  const F extends Filters<T> = Record<never, never>,
  Shown = RowOf<T, S>,
>(declared: Declaration<T, S, O, F, Shown>): ReadModel<Shown, FiltersOf<T, F>, keyof O & string, T> {
  const { from, select, sorts, direction = 'desc', tie, map } = declared;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- makes what its type says, of any table
  const declaredFilters = declared.filters?.(filterBuilder as unknown as FilterBuilder<T>) ?? {};
  const filters = Object.entries<AnyFilter>(declaredFilters);
  const [parent] = filters.flatMap(([filter, by]) =>
    typeof by === 'object' && 'owner' in by && by.parent ? { filter, table: by.parent } : [],
  );
  return {
    from,
    select,
    sorts,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys that it is declared with
    sortKeys: Object.keys(sorts) as [keyof O & string, ...(keyof O & string)[]],
    direction,
    tie,
    filters,
    parent,
    map,
  };
}

/** Declares a read model that shows more of the same rows: its lists, filters and cursors are those of `model`. */
export function extended<
  T extends Table,
  Base,
  Given extends object,
  SortKey extends string,
  const S extends Selection<T>,
  Shown = Base & RowOf<T, S>,
>(
  model: ReadModel<Base, Given, SortKey, T>,
  select: S,
  map?: (row: Base & RowOf<T, S>) => Shown,
): ReadModel<Shown, Given, SortKey, T> {
  if (model.map) throw new Error(`a read model of ${model.from} that maps its rows can't be extended`);
  const { shown: _shown, ...rest } = model;
  return { ...rest, select: { ...model.select, ...select }, map };
}
