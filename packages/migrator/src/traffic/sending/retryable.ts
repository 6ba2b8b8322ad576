import { isNativeError } from 'node:util/types';
import { findSqlState } from '../../session/find-sql-state.ts';

/** Whether a request may be sent again: after a deadlock or a conflict. */
export function isTransient(error: unknown): boolean {
  return ['40001', '40P01'].includes(findSqlState(error));
}

/**
 * Whether the server can't use a prepared statement any more, after a change of its tables: its result has another type, its parameters keep
 * types that no longer fit, or it is gone. A statement that is prepared again may succeed.
 */
export function mustPrepareAgain(error: unknown): boolean {
  const state = findSqlState(error);
  if (state === '0A000') return routineOf(error) === 'RevalidateCachedQuery';
  return ['26000', '42804', '42883'].includes(state);
}

function routineOf(error: unknown): unknown {
  if (!isNativeError(error)) return null;
  return 'routine' in error ? error.routine : routineOf(error.cause);
}
