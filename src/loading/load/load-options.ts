import type { EntityClass, EntityKey, Primary, Reference } from '@mikro-orm/core';

/**
 * How a load writes its rows.
 *
 * - `append`: inserts every row; fails when a key exists.
 * - `upsert`: inserts rows whose key does not exist, and updates the others. Properties that a row leaves out stay unchanged.
 * - `delete_insert`: deletes the existing rows with the keys of the load, then inserts every row. Deletes cascade as the foreign keys
 *   declare.
 * - `insert_missing`: inserts rows whose key does not exist, and skips the others.
 * - `fill_null`: updates existing rows where they hold NULL, and inserts none.
 */
export type LoadMode = 'append' | 'upsert' | 'delete_insert' | 'insert_missing' | 'fill_null';

/** All load modes. */
export const loadModes = [
  'append',
  'upsert',
  'delete_insert',
  'insert_missing',
  'fill_null',
] as const satisfies LoadMode[];

/** How a load treats several rows with the same key: `error` refuses the load, `last` keeps the last of them. */
export const duplicateRules = ['error', 'last'] as const;

/**
 * A row, keyed by the entity's properties. A relation is the key of the referenced row; a time is a `Date`, or ISO 8601 text with a time
 * zone and up to six fractional digits.
 */
export type LoadedRow<E extends object> = {
  readonly [Property in EntityKey<E>]?: LoadedValue<NonNullable<E[Property]>> | NullIn<E[Property]>;
};

type LoadedValue<Value> =
  Value extends Reference<infer Parent extends object>
    ? Primary<Parent>
    : Value extends Date
      ? Date | string
      : Value;
type NullIn<Value> = (null extends Value ? null : never) | undefined;

/** What to load, and how. */
export interface LoadOptions<E extends object> {
  readonly entity: EntityClass<E>;
  /**
   * The rows, read once with backpressure and never held in memory together. A property that is left out or undefined gets the value that
   * a flush would give it (a key, a time of creation), or else its column's default; null is NULL. The source may be slow, but must not
   * read through the unit of work that it is loaded in: its connection is busy with the COPY.
   */
  readonly rows: Iterable<LoadedRow<E>> | AsyncIterable<LoadedRow<E>>;
  readonly mode: LoadMode;
  /**
   * The properties that identify a row; `append` ignores them. Default: the entity's primary key. They must be unique in the table, except
   * for `delete_insert`, where the rows with one key replace all existing rows with that key.
   */
  readonly key?: readonly EntityKey<E>[] | undefined;
  /**
   * What to do when several rows have the same unique key: refuse the load (`error`, the default) or keep the last of them (`last`).
   * `append` leaves it to the table's constraints.
   */
  readonly onDuplicate?: (typeof duplicateRules)[number] | undefined;
  /**
   * Whether this is a dry run: reads and checks the rows, and returns the statements without using a connection. Default: false. `planLoad`
   * does the same without a database.
   */
  readonly planOnly?: boolean | undefined;
}

/** Row counts as PostgreSQL reports them. `rows` is the sum of `inserted`, `updated` and `skipped`. */
export interface LoadCounts {
  readonly rows: number;
  readonly inserted: number;
  /** Existing rows that changed. */
  readonly updated: number;
  /** Existing rows that `delete_insert` deleted. */
  readonly deleted: number;
  /** Rows that changed nothing: the mode ignores their key, the existing row is equal, or a later row has the same key. */
  readonly skipped: number;
}

/** A statement of a dry run. */
export interface PlannedStatement {
  readonly sql: string;
  /** How many rows are sent with it; 0 for statements other than COPY. */
  readonly rows: number;
}

/**
 * What a load would send, without the statements that begin and end its transaction. Duplicate keys and constraint violations show only
 * when the load runs.
 */
export interface LoadPlan {
  /** The number of rows. */
  readonly rows: number;
  readonly statements: readonly PlannedStatement[];
}
