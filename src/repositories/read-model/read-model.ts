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

/** The properties that a read model shows, each with its column, or with an expression over the row. */
export type Selection<T extends Table> = Readonly<Record<string, ColumnOf<T> | ExpressionOf<T>>>;

/** The row of a selection: times are `Date`, conditions `boolean`. */
type RowOf<T extends Table, S extends Selection<T>> = {
  readonly [Property in keyof S]: S[Property] extends keyof Values[T]
    ? Values[T][S[Property]]
    : S[Property] extends (eb: never) => Expression<infer Value>
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
   * The sort keys of lists, each with its column; the first is the default. Or with several columns and expressions, whose directions are
   * fixed: for lists without pages.
   */
  readonly sorts: O;
  /** The default direction; `desc` when absent. */
  readonly direction?: Direction | undefined;
  /** The column that orders rows with equal sort values; default the key. */
  readonly tieBreaker?: ColumnOf<T> | undefined;
  readonly filters?: ((by: FilterBuilder<T>) => F) | undefined;
  /** How many rows of a stream are in memory at once; default 500. Fewer where a row can have a long document. */
  readonly streamedAtOnce?: number | undefined;
  /** Returns what is shown of a row; default the row itself. */
  readonly map?: ((row: RowOf<T, S>) => Shown) | undefined;
}

type AnyExpression = (eb: never) => Expression<unknown>;

/** A read model: the properties that it shows of a table's rows, and the sort keys and filters of its lists. */
export interface ReadModel<
  Shown,
  FilterValues extends object,
  SortKey extends string,
  T extends string = string,
> {
  readonly from: T;
  readonly select: Readonly<Record<string, string | AnyExpression>>;
  readonly sorts: Readonly<
    Record<string, string | readonly (string | { readonly desc: string | AnyExpression })[]>
  >;
  readonly sortKeys: readonly [SortKey, ...SortKey[]];
  readonly direction: Direction;
  readonly tieBreaker: string | undefined;
  readonly filters: readonly (readonly [name: string, filter: AnyFilter])[];
  /** The filter by a parent whose row must exist, and the table of the parent. */
  readonly parent: { readonly filter: string; readonly table: string } | undefined;
  readonly streamedAtOnce: number;
  readonly map: ((row: never) => unknown) | undefined;
  /** Never set: the types of its rows, and of the values of its filters. */
  readonly shown?: Shown;
  readonly filterValues?: FilterValues;
}

// oxlint-disable-next-line typescript/no-explicit-any -- any row, and any filters
export type AnyReadModel = ReadModel<any, any, string>;

/** The row of a read model. */
export type ShownBy<Model extends AnyReadModel> = NonNullable<Model['shown']>;

/** The sort keys of a read model. */
export type SortKeyOf<Model extends AnyReadModel> = Model['sortKeys'][number];

/** Declares a read model. `ReadModelReader` derives its rows by key, lists, offset pages, cursor pages and counts. */
export function readModel<
  T extends Table,
  const S extends Selection<T>,
  const O extends Sorts<T>,
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- no filters
  const F extends Filters<T> = Record<never, never>,
  Shown = RowOf<T, S>,
>(declared: Declaration<T, S, O, F, Shown>): ReadModel<Shown, FiltersOf<T, F>, keyof O & string, T> {
  const { from, select, sorts, direction = 'desc', tieBreaker, streamedAtOnce = 500, map } = declared;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it declares the filters of any table
  const declaredFilters = declared.filters?.(filterBuilder as unknown as FilterBuilder<T>) ?? {};
  const filters = Object.entries<AnyFilter>(declaredFilters);
  const [parent] = filters.flatMap(([filter, by]) =>
    typeof by === 'object' && 'parent' in by && by.table ? { filter, table: by.table } : [],
  );
  return {
    from,
    select,
    sorts,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the declared keys
    sortKeys: Object.keys(sorts) as [keyof O & string, ...(keyof O & string)[]],
    direction,
    tieBreaker,
    filters,
    parent,
    streamedAtOnce,
    map,
  };
}

/** Declares a read model that shows more properties of the same rows. Its lists, filters and cursors are those of `model`. */
export function extended<
  T extends Table,
  Base,
  FilterValues extends object,
  SortKey extends string,
  const S extends Selection<T>,
  Shown = Base & RowOf<T, S>,
>(
  model: ReadModel<Base, FilterValues, SortKey, T>,
  select: S,
  map?: (row: Base & RowOf<T, S>) => Shown,
  streamedAtOnce: number = model.streamedAtOnce,
): ReadModel<Shown, FilterValues, SortKey, T> {
  if (model.map) throw new Error(`a read model of ${model.from} that maps its rows can't be extended`);
  const { shown: _shown, ...rest } = model;
  return { ...rest, select: { ...model.select, ...select }, streamedAtOnce, map };
}
