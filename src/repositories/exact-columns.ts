import { sql, type AliasedRawBuilder } from 'kysely';
import { InvalidValueError } from '../errors.ts';
import { doubleHexSql, numberOfHex, type DoubleHex } from '../wire/double.ts';
import { dateOfHex, instantHexSql, textOfDate, textOfHex, type InstantHex } from '../wire/instant.ts';

/** The name that a column's exact form is selected under: another than its own, by which rows are ordered. */
type HexName<Column extends string> = Column extends `${string}.${infer Name}`
  ? `${Name}_hex`
  : `${Column}_hex`;

/** Selects a `timestamptz` column in a form that no setting of the session changes; as `<column>_hex`, unless named otherwise. Read it with `instant`. */
export function instantColumn<Column extends string, Name extends string = HexName<Column>>(
  column: Column,
  name?: Name,
) {
  return exact<InstantHex, Name>(column, name, instantHexSql);
}

/** The same of a column that may be null. */
export function nullableInstantColumn<Column extends string>(column: Column) {
  return exact<InstantHex | null, HexName<Column>>(column, undefined, instantHexSql);
}

/** Selects a `double precision` column in a form that no setting of the session changes; as `<column>_hex`, unless named otherwise. Read it with `double`. */
export function doubleColumn<Column extends string, Name extends string = HexName<Column>>(
  column: Column,
  name?: Name,
) {
  return exact<DoubleHex, Name>(column, name, doubleHexSql);
}

/** The same of a column that may be null. */
export function nullableDoubleColumn<Column extends string>(column: Column) {
  return exact<DoubleHex | null, HexName<Column>>(column, undefined, doubleHexSql);
}

/**
 * The point in time; its microseconds are cut, as everywhere in JavaScript. What no `Date` can hold, `infinity` among it, is the
 * nearest one: `new Date(±8.64e15)`.
 */
export function instant(hex: InstantHex): Date;
export function instant(hex: InstantHex | null): Date | null;
export function instant(hex: InstantHex | null): Date | null {
  return hex === null ? null : dateOfHex(hex);
}

/** The point in time to the microsecond, as text that PostgreSQL reads as the same one under any settings. */
export function exactInstant(hex: InstantHex): string {
  return textOfHex(hex);
}

/**
 * The date that a method was given, as text that PostgreSQL reads as the same instant under any settings.
 *
 * @throws InvalidValueError when it is an invalid date.
 */
export function momentOf(argument: string, date: Date): string {
  if (Number.isNaN(date.getTime())) throw new InvalidValueError(`${argument} is an invalid date`, {});
  return textOfDate(date);
}

/** The number, to the last bit. */
export function double(hex: DoubleHex): number;
export function double(hex: DoubleHex | null): number | null;
export function double(hex: DoubleHex | null): number | null {
  return hex === null ? null : numberOfHex(hex);
}

/** The mean of a `double precision` column in such a form; null over no rows. */
export function meanOf(column: string) {
  return sql.raw<DoubleHex | null>(doubleHexSql(`avg("${column}")`));
}

function exact<Form, Name extends string>(
  column: string,
  name: string = `${column.slice(column.indexOf('.') + 1)}_hex`,
  formOf: (expression: string) => string,
): AliasedRawBuilder<Form, Name> {
  const quoted = column.split('.').map((part) => `"${part}"`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the given one, or what `HexName` says of it
  return sql.raw<Form>(formOf(quoted.join('.'))).as(name as Name);
}
