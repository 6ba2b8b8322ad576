import type { Expression, SqlBool } from 'kysely';
import type { Tables } from '../../entities/tables.ts';
import type { Choice, Condition, Owner } from './filter-kinds.ts';

type Table = keyof Tables;
type ColumnOf<T extends Table> = keyof Tables[T] & string;

/** What lists can be narrowed by: a column (equal to the value, or null), or what `FilterBuilder` makes. */
export type Filters<T extends Table> = Readonly<
  // oxlint-disable-next-line typescript/no-explicit-any -- the type of value, or of names, that each one takes
  Record<string, ColumnOf<T> | Condition<T, any> | Choice<T, any> | Owner<ColumnOf<T>>>
>;

/** Makes the filters of one table: a function for any table would take the columns of another. */
export interface FilterBuilder<T extends Table> {
  /** A condition on a value. It passes the value on and never looks at it: the statement is written once for all values. */
  where<Value>(condition: Condition<T, Value>['where']): Condition<T, Value>;
  /** A closed set of conditions by name; null stands for none. The first is the default. */
  choice<const Name extends string>(conditions: Choice<T, Name>['choice']): Choice<T, Name>;
  /** A column that every list must be narrowed by. With `parent`, a list of a missing row of that table is `NotFoundError`. */
  owner<const Column extends ColumnOf<T>>(column: Column, parent?: Table): Owner<Column>;
}

/** What is given to a list to narrow it. An absent filter does not narrow. */
export type FiltersOf<T extends Table, F extends Filters<T>> = {
  readonly [Name in keyof F as F[Name] extends Owner<string> ? never : Name]?:
    | ValueOf<T, F[Name]>
    | undefined;
} & {
  readonly [Name in keyof F as F[Name] extends Owner<string> ? Name : never]: ValueOf<T, F[Name]>;
};

type ValueOf<T extends Table, F> = F extends keyof Tables[T]
  ? Tables[T][F]
  : F extends Owner<infer Column>
    ? NonNullable<Tables[T][Column & keyof Tables[T]]>
    : F extends Choice<T, infer Name>
      ? Name
      : F extends Condition<T, infer Value>
        ? Value
        : never;

/** A filter of any table, once its declaration was checked. */
export type AnyFilter =
  | string
  | { readonly where: (eb: never, value: unknown) => Expression<SqlBool> }
  | { readonly choice: Readonly<Record<string, ((eb: never) => Expression<SqlBool>) | null>> }
  | { readonly owner: string; readonly parent: string | undefined };

/** Makes the filters of any table; `readModel` gives it the type of the one that it reads. */
export const filterBuilder = {
  where: (condition: unknown) => ({ where: condition }),
  choice: (conditions: unknown) => ({ choice: conditions }),
  owner: (column: string, parent?: string) => ({ owner: column, parent }),
};
