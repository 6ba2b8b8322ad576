import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Tables } from '../../entities/tables.ts';

type Table = keyof Tables;
type Builder<T extends Table> = ExpressionBuilder<Tables, T>;

/** A filter by a value, declared by `where`. */
export interface Condition<T extends Table, Value> {
  readonly where: (eb: Builder<T>, value: Value) => Expression<SqlBool>;
}

/** A filter by a text that one of several columns contains, declared by `text`. */
export interface Containing<Column extends string> {
  readonly text: readonly Column[];
}

/** A filter by a name, declared by `choice`. */
export interface Choice<T extends Table, Name extends string> {
  readonly choice: Readonly<Record<Name, ((eb: Builder<T>) => Expression<SqlBool>) | null>>;
}

/** A filter that every list requires, declared by `parent`. */
export interface Parent<Column extends string> {
  readonly parent: Column;
  readonly table: Table | undefined;
}
