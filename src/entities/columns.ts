import { p } from '@mikro-orm/core';
import { RowVersion } from '../guards/row-version.ts';
import { ExactDoubleType } from '../wire/double-type.ts';
import { InstantType } from '../wire/instant-type.ts';
import { uuidv7 } from './uuid-v7.ts';

/** A text key that the row mints for itself when it is given none: `<prefix>_<UUIDv7>`, so that keys sort by time. */
export function id(prefix: string) {
  return p
    .text()
    .primary()
    .onCreate(() => `${prefix}_${uuidv7()}`);
}

/**
 * A point in time. The database keeps microseconds; the `Date` that one reads shows milliseconds. `new Date(8.64e15)` stands for
 * `infinity`, `new Date(-8.64e15)` for `-infinity`, in both directions.
 */
export function instant() {
  return p.type(InstantType).$type<Date>();
}

/** When the row was made. */
export const creationTime = {
  createdAt: instant()
    .onCreate(() => new Date())
    .defaultRaw('now()'),
};

/**
 * When the row was made, and when it last changed (null until then). A table that has these also has the trigger of
 * `keepsUpdatedAt`, for the writes that the ORM's own hook does not see.
 */
export const timestamps = {
  ...creationTime,
  updatedAt: instant()
    .nullable()
    .onUpdate(() => new Date()),
};

/**
 * The version of a row, which every entity has: each change raises it, and a flush that would overwrite a change which it has not seen is
 * refused. A table that has it also has the trigger of `raisesRowVersion`, for the writes that the ORM does not see.
 */
export const rowVersion = { rowVersion: p.type(RowVersion).$type<number>().version().default(1) };

/** A `double precision` number. */
export function double() {
  return p.type(ExactDoubleType).$type<number>();
}
