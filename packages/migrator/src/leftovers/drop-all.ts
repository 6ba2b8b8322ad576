import type { Session } from '../session/session.ts';
import { isLostConnection } from '../session/find-sql-state.ts';

/**
 * Drops objects in the transaction of `session`, in the order of their dependencies.
 *
 * @throws the server's error for the first that other objects depend on.
 */
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
