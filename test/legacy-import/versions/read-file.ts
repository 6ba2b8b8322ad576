import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { formatValue } from '../legacy-file.ts';
import { legacyTables } from '../legacy-shape.ts';

export type Row = Record<string, SQLInputValue>;

/** The columns of a synth that became one. */
export const sections = ['demografia', 'psicografia', 'deficiencias', 'capacidades_tecnologicas'];

/** Tables that hold no data. */
export const bookkeeping = ['schema_migrations'];

/** Whether a table is one of the newest version, and its rows have all that such rows must have. */
export function fits(table: string, columns: readonly string[]): boolean {
  const derived = table === 'transcripts' ? ['synth_name'] : [];
  return (
    legacyTables[table]?.every(
      ({ name, type, required, default: value }) =>
        columns.includes(name) ||
        derived.includes(name) ||
        (type !== 'key' && (!required || (value !== undefined && value !== 'now'))),
    ) ?? false
  );
}

/** Returns a row with what the old system read into columns that it did not have. */
export function completed(file: DatabaseSync, table: string, row: Row): Row {
  if (table === 'transcripts' && row['synth_name'] == null) {
    const named = file.prepare('select nome from synths where id = ?').get(row['synth_id'] ?? null);
    return { ...row, synth_name: named?.['nome'] ?? null };
  }
  if (table !== 'synths' || 'data' in row) return row;
  const members = sections
    .filter((name) => row[name] !== null)
    .map((name) => `"${name}": ${formatValue(row[name])}`);
  return { ...row, data: members.length === 0 ? null : `{${members.join(', ')}}` };
}

/** Returns the rows of a table in their order. */
export function readRows(file: DatabaseSync, table: string): Row[] {
  return file
    .prepare(`select * from ${table} order by rowid`)
    .all()
    .map((row) => ({ ...row }));
}

/** Returns the tables of a file with their columns. */
export function columnsOf(file: DatabaseSync): [string, string[]][] {
  const tables = file
    .prepare(
      `select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name`,
    )
    .all();
  return tables.map(({ name }) => [
    String(name),
    file
      .prepare('select name from pragma_table_info(?)')
      .all(String(name))
      .map((column) => String(column['name'])),
  ]);
}
