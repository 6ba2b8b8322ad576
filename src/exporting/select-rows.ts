import { escapeIdentifier } from 'pg';
import type { LoadTarget } from '../loading/load/load-target.ts';

/** Returns the query for the rows of a table, with the names of properties. */
export function selectRows({ schema, table, columns }: LoadTarget): string {
  const selected = columns.map(
    ({ name, property }) => `${escapeIdentifier(name)} as ${escapeIdentifier(property)}`,
  );
  const from =
    schema === null ? escapeIdentifier(table) : `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`;
  return `select ${selected.join(', ')} from ${from}`;
}
