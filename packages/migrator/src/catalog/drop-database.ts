import { findSqlState } from '../session/find-sql-state.ts';
import type { Session } from '../session/session.ts';

/** Drops a database of ours, and ends its connections. */
export async function dropDatabase(server: Session, name: string): Promise<void> {
  try {
    await server.query(`drop database if exists "${name}" with (force)`);
  } catch (error) {
    // A worker of autovacuum is in it, which belongs to another role. Without force, PostgreSQL ends it.
    if (findSqlState(error) !== '42501') throw error;
    await server.query(`drop database if exists "${name}"`);
  }
}
