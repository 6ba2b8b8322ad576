import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Tables } from '../../entities/tables.ts';

type Table = keyof Tables;
type Builder<T extends Table> = ExpressionBuilder<Tables, T>;

/** A filter by a value, as `where` makes it. */
export interface Condition<T extends Table, Value> {
  readonly where: (eb: Builder<T>, value: Value) => Expression<SqlBool>;
}

/** A filter by one of some names, as `choice` makes it. */
export interface Choice<T extends Table, Name extends string> {
  readonly choice: Readonly<Record<Name, ((eb: Builder<T>) => Expression<SqlBool>) | null>>;
}

/** A column that every list is narrowed by, as `owner` makes it. */
export interface Owner<Column extends string> {
  readonly owner: Column;
  readonly parent: Table | undefined;
}
