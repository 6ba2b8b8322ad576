import { p } from '@mikro-orm/core';
import { RowVersion } from '../guards/row-version.ts';
import { ExactDoubleType } from '../wire/double-type.ts';
import { InstantType } from '../wire/instant-type.ts';
import { uuidv7 } from './uuid-v7.ts';

/** Declares a text key. A key that is absent is generated: `<prefix>_<UUIDv7>`, so that keys sort by time. */
export function id(prefix: string) {
  return p
    .text()
    .primary()
    .onCreate(() => `${prefix}_${uuidv7()}`);
}

/**
 * Declares a `timestamptz`. The database stores microseconds; a `Date` has milliseconds. `new Date(8.64e15)` stands for `infinity`,
 * `new Date(-8.64e15)` for `-infinity`, in both directions.
 */
export function instant() {
  return p.type(InstantType).$type<Date>();
}

/** When the row was created. */
export const creationTime = {
  createdAt: instant()
    .onCreate(() => new Date())
    .defaultRaw('now()'),
};

/**
 * When the row was created, and when it was last updated (null until then). A table with these columns also has the trigger
 * `setsUpdatedAt`, for the writes that the ORM's hook does not see.
 */
export const timestamps = {
  ...creationTime,
  updatedAt: instant()
    .nullable()
    .onUpdate(() => new Date()),
};

/**
 * The version of a row, for optimistic locking. Every entity has it. Each change increments it, and a flush that would overwrite a concurrent
 * change is refused. A table with it also has the trigger `incrementsRowVersion`, for the writes that the ORM does not see.
 */
export const rowVersion = { rowVersion: p.type(RowVersion).$type<number>().version().default(1) };

/** Declares a `double precision`. */
export function double() {
  return p.type(ExactDoubleType).$type<number>();
}
