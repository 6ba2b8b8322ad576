import { quoteName } from '../files/backfill.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { markParking } from '../sql/marks/parking-mark.ts';
import { parkColumns, parkTable, unparkColumns, unparkTable } from './park-sql.ts';

/** How parked columns are put back. */
export interface UnparkOptions {
  /** SQL by column, for the rows that were written meanwhile and have no value: `{ statement: "''" }`. */
  readonly missing?: Readonly<Record<string, string>>;
}

/**
 * Returns a statement that takes columns, or a whole table where none are named, out of use and keeps their values: for `addSql` in place of
 * `drop column` or `drop table`. `unpark` puts them back. Columns stay in their table under other names, without the constraints and indexes
 * that contain them, and without NOT NULL where they have no default, so that rows can be written without them. A table keeps its constraints
 * and indexes, except foreign keys to other tables. Takes no longer than `drop column` does.
 *
 * Comparisons of schemas leave out what is parked; `status` lists it, `purge` drops it. Views and functions that use it go on to do so.
 *
 * PostgreSQL refuses identity and generated columns, and what foreign keys of other tables refer to.
 *
 * @throws MigrationRefusedError when a name is empty.
 */
export function park(table: string, columns: readonly string[] = []): string {
  return statement({ action: 'park', table, columns, missing: {} });
}

/**
 * Returns a statement that puts back what `park` with the same names took out of use: the columns with their values, the constraints, indexes
 * and comments. Rows that were written meanwhile have the column's default, or else the value of `missing`, or NULL.
 *
 * PostgreSQL refuses it when these rows violate NOT NULL or a constraint, and after a purge.
 *
 * @throws MigrationRefusedError when a name is empty, or `missing` names a column that is not put back.
 */
export function unpark(
  table: string,
  columns: readonly string[] = [],
  { missing = {} }: UnparkOptions = {},
): string {
  return statement({ action: 'unpark', table, columns, missing });
}

/** What a statement parks or puts back. */
interface Parking {
  readonly action: 'park' | 'unpark';
  readonly table: string;
  /** Empty for the whole table. */
  readonly columns: readonly string[];
  readonly missing: Readonly<Record<string, string>>;
}

function statement(parking: Parking): string {
  const { action, table, columns, missing } = parking;
  const refuse = (what: string): never => {
    throw new MigrationRefusedError(`${action} of ${JSON.stringify(table)}: ${what}`);
  };
  if (table.trim() === '') refuse('table is empty');
  if (columns.some((column) => column.trim() === '')) refuse('a column is empty');
  if (new Set(columns).size < columns.length) refuse('a column is named twice');
  for (const [column, value] of Object.entries(missing)) {
    if (!columns.includes(column)) refuse(`missing names ${JSON.stringify(column)}, which is not put back`);
    if (value.trim() === '') refuse(`missing has no value for ${JSON.stringify(column)}`);
  }
  if (JSON.stringify(parking).includes('$parking$')) refuse('a name contains $parking$');
  return textOf(parking);
}

function textOf(parking: Parking): string {
  const { action, table, columns, missing } = parking;
  const options = { table: quoteName(table), columns, missing };
  const block =
    columns.length === 0
      ? { park: parkTable, unpark: unparkTable }[action]
      : { park: parkColumns, unpark: unparkColumns }[action];
  return markParking({ action, table, columns, missing }, block(JSON.stringify(options)));
}
