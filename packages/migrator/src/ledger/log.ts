import { withoutExtension } from '../files/migration-files.ts';
import type { Session } from '../session/session.ts';
import type { MigratorTables } from './tables.ts';

/** A row of the ORM's list of applied migrations. */
export interface LogRow {
  readonly id: number;
  readonly name: string;
  /** ISO 8601, independent of session settings. */
  readonly executedAt: string;
}

/** Returns the applied migrations in the order of application, by the names that the code has for them. */
export async function readLog(session: Session, tables: MigratorTables): Promise<LogRow[]> {
  const rows = await session.query<LogRow>(
    `select id, name, to_json(executed_at) #>> '{}' as "executedAt" from ${tables.log} order by id`,
  );
  return rows.map((row) => ({ ...row, name: withoutExtension(row.name) }));
}
