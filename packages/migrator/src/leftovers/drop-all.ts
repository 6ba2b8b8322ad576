import type { Session } from '../session/session.ts';
import { isLostConnection } from '../session/sql-state.ts';

/** Drops objects in the transaction of `session`, in whatever order they depend on each other. @throws what the server says of the first that something else depends on. */
export async function dropAll(session: Session, drops: readonly string[]): Promise<void> {
  let left = drops;
  while (left.length > 0) {
    const kept: string[] = [];
    let reason: unknown;
    for (const sql of left) {
      await session.query('savepoint before_drop');
      try {
        await session.query(sql);
        await session.query('release before_drop');
      } catch (error) {
        if (isLostConnection(error)) throw error;
        await session.query('rollback to before_drop');
        reason ??= error;
        kept.push(sql);
      }
    }
    if (kept.length === left.length) throw reason;
    left = kept;
  }
}
