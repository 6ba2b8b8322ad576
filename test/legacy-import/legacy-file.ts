import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { sqliteSchema } from './legacy-shape.ts';

/** A row of a legacy table; a column that is left out has its default. */
export type LegacyRow = Readonly<Record<string, SQLInputValue>>;

/** The rows of each table. */
export type LegacyRows = Readonly<Record<string, readonly LegacyRow[]>>;

export interface LegacyFileOptions {
  /** Whether an older version of the system began the file. */
  readonly upgraded?: boolean;
  /** More statements, run at the end. */
  readonly sql?: string;
}

/** Makes a file as the old system left it behind: with rows that point nowhere, and JSON that SQLite would not take today. */
export function makeLegacyFile(
  path: string,
  rows: LegacyRows,
  { upgraded = false, sql = '' }: LegacyFileOptions = {},
): string {
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    database.exec(`pragma ignore_check_constraints = on; begin; ${sqliteSchema({ upgraded })}`);
    for (const [table, all] of Object.entries(rows)) for (const row of all) insert(database, table, row);
    database.exec(`commit; ${sql}`);
  } finally {
    database.close();
  }
  return path;
}

function insert(database: DatabaseSync, table: string, row: LegacyRow): void {
  const names = Object.keys(row);
  database
    .prepare(`insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`)
    .run(...Object.values(row));
}

/** Returns a value as text; null for NULL. */
export function formatValue(value: SQLInputValue | undefined): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'object') throw new Error('a blob is no text');
  return Object.is(value, -0) ? '-0' : String(value);
}
