import { sql } from 'kysely';
import { InvalidValueError } from '../errors.ts';
import { doubleHexSql, numberOfHex, type DoubleHex } from '../wire/double.ts';
import { instantHexSql, textOfDate, type InstantHex } from '../wire/instant.ts';

/** Returns the selection of a `timestamptz` column as `name`, in a form that no setting of the session changes. */
export function instantColumn<Name extends string>(column: string, name: Name) {
  return sql.raw<InstantHex>(instantHexSql(`"${column}"`)).as(name);
}

/** Returns the mean of a `double precision` column in such a form; null over no rows. */
export function meanOf(column: string) {
  return sql.raw<DoubleHex | null>(doubleHexSql(`avg("${column}")`));
}

/** Returns the number, to the last bit. */
export function parseDouble(hex: DoubleHex | null): number | null {
  return hex === null ? null : numberOfHex(hex);
}

/**
 * Returns the date as text that PostgreSQL reads as the same time under any setting of the session. `argument` names it in the error.
 *
 * @throws InvalidValueError when it is an invalid date.
 */
export function textOfTime(argument: string, date: Date): string {
  if (Number.isNaN(date.getTime())) throw new InvalidValueError(`${argument} is an invalid date`, {});
  return textOfDate(date);
}
