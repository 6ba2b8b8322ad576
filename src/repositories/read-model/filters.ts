import type { Expression, SqlBool } from 'kysely';
import type { Tables } from '../../entities/tables.ts';
import type { Choice, Condition, Containing, Parent } from './filter-kinds.ts';

type Table = keyof Tables;
type ColumnOf<T extends Table> = keyof Tables[T] & string;

/** The filters of a table: a column (equal to the value, or null), or a filter of `FilterBuilder`. */
export type Filters<T extends Table> = Readonly<Record<string, ColumnOf<T> | DeclaredFilter<T>>>;

type DeclaredFilter<T extends Table> =
  // oxlint-disable-next-line typescript/no-explicit-any -- the type of value, or of names, of each filter
  Condition<T, any> | Choice<T, any> | Containing<ColumnOf<T>> | Parent<ColumnOf<T>>;

/** Declares the filters of one table: a function for any table would accept the columns of another. */
export interface FilterBuilder<T extends Table> {
  /** Declares a condition on a value. It must not depend on the value, which is a placeholder: one statement serves all values. */
  where<Value>(condition: Condition<T, Value>['where']): Condition<T, Value>;
  /**
   * Declares a filter by a text that one of these columns contains, ignoring case and Unicode's normal forms, under any locale of the
   * database. Wildcards are literal.
   */
  text(...columns: readonly ColumnOf<T>[]): Containing<ColumnOf<T>>;
  /** Declares a closed set of conditions by name; null is no condition. The first is the default. */
  choice<const Name extends string>(conditions: Choice<T, Name>['choice']): Choice<T, Name>;
  /** Declares a column by which every list must be filtered. With `table`, a list throws `NotFoundError` if that table has no such row. */
  parent<const Column extends ColumnOf<T>>(column: Column, table?: Table): Parent<Column>;
}

/** The values of a list's filters. An absent one does not filter. */
export type FiltersOf<T extends Table, F extends Filters<T>> = {
  readonly [Name in keyof F as F[Name] extends Parent<string> ? never : Name]?:
    | ValueOf<T, F[Name]>
    | undefined;
} & {
  readonly [Name in keyof F as F[Name] extends Parent<string> ? Name : never]: ValueOf<T, F[Name]>;
};

type ValueOf<T extends Table, F> = F extends keyof Tables[T]
  ? Tables[T][F]
  : F extends Parent<infer Column>
    ? NonNullable<Tables[T][Column & keyof Tables[T]]>
    : F extends Choice<T, infer Name>
      ? Name
      : F extends Containing<string>
        ? string
        : F extends Condition<T, infer Value>
          ? Value
          : never;

/** A filter of any table, whose declaration was checked. */
export type AnyFilter =
  | string
  | { readonly where: (eb: never, value: unknown) => Expression<SqlBool> }
  | { readonly text: readonly string[] }
  | { readonly choice: Readonly<Record<string, ((eb: never) => Expression<SqlBool>) | null>> }
  | { readonly parent: string; readonly table: string | undefined };

/** Declares the filters of any table; `readModel` narrows its type to the table that it reads. */
export const filterBuilder = {
  where: (condition: unknown) => ({ where: condition }),
  text: (...columns: readonly string[]) => ({ text: columns }),
  choice: (conditions: unknown) => ({ choice: conditions }),
  parent: (column: string, table?: string) => ({ parent: column, table }),
};
