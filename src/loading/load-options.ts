import type { EntityClass, EntityKey, Primary, Reference } from '@mikro-orm/core';

/**
 * What becomes of the rows.
 *
 * - `append`: inserts all of them; one whose key is taken fails the load.
 * - `upsert`: inserts those whose key is not there, and changes the others: properties that a row leaves out stay as they are.
 * - `delete_insert`: deletes what is there under the keys of the rows, then inserts all of them. What hangs on a deleted row goes, or
 *   is cleared, as the tables say.
 * - `insert_missing`: inserts those whose key is not there, and leaves the others alone.
 * - `fill_null`: writes into those that are there, where they hold NULL, and inserts none.
 */
export type LoadMode = 'append' | 'upsert' | 'delete_insert' | 'insert_missing' | 'fill_null';

/** Every mode. */
export const loadModes = [
  'append',
  'upsert',
  'delete_insert',
  'insert_missing',
  'fill_null',
] as const satisfies LoadMode[];

/** What may be done when several rows have the same key. */
export const duplicateRules = ['error', 'last'] as const;

/**
 * A row, by the entity's properties. A relation is given as the key of the row that it points at, a time as a `Date` or as ISO text
 * with a zone and up to six digits of a second.
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

export interface LoadOptions<E extends object> {
  readonly entity: EntityClass<E>;
  /**
   * Read once, as fast as the database takes them; never held together. A property that is left out, or undefined, is filled as a
   * flush fills it (a key, a time of creation), or else with its column's default. Null is NULL. They may be slow to come, but not be
   * read through the unit of work that they are loaded in: its connection is busy with them, and refuses that.
   */
  readonly rows: Iterable<LoadedRow<E>> | AsyncIterable<LoadedRow<E>>;
  readonly mode: LoadMode;
  /**
   * The properties by which rows are told apart; all but `append` ask for them. Default: the entity's key. They must be unique in the
   * table, except for `delete_insert`, where the rows under one key replace all that are there under it.
   */
  readonly key?: readonly EntityKey<E>[] | undefined;
  /**
   * What to do when several of the rows have the same key, where it is unique in the table: refuse the load (`error`, the default), or
   * take the last of them alone. `append` leaves that to the table.
   */
  readonly onDuplicate?: (typeof duplicateRules)[number] | undefined;
  /**
   * Whether to read and check the rows and return the statements that would be sent, without using a connection. `planLoad` does the
   * same without a database.
   */
  readonly planOnly?: boolean | undefined;
}

/** How many rows there were, and what PostgreSQL says became of them. `rows` is what was inserted, updated and skipped together. */
export interface LoadCounts {
  readonly rows: number;
  readonly inserted: number;
  /** Rows that changed. */
  readonly updated: number;
  /** Rows that were there before. */
  readonly deleted: number;
  /** Rows that nothing was done for: their key was there, or not there, or nothing was to change, or a later row had the same key. */
  readonly skipped: number;
}

/** A statement of a load, without the transaction around it. */
export interface PlannedStatement {
  readonly sql: string;
  /** How many rows are sent along; 0 when it takes none. */
  readonly rows: number;
}

/** What a load would send. Whether rows share a key, or break a rule of the table, is for the database to say. */
export interface LoadPlan {
  /** How many rows there are. */
  readonly rows: number;
  readonly statements: readonly PlannedStatement[];
}
