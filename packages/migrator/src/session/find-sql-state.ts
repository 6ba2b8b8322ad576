import { isNativeError } from 'node:util/types';

/** Returns the SQLSTATE of an error or of its cause; empty when neither has one. */
export function findSqlState(error: unknown): string {
  if (!isNativeError(error)) return '';
  if ('code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code))
    return error.code;
  return findSqlState(error.cause);
}

/** Whether the connection was lost, so that the outcome of the last statement is unknown. */
export function isLostConnection(error: unknown): boolean {
  const state = findSqlState(error);
  if (state !== '') return state.startsWith('08') || state.startsWith('57P');
  return isNativeError(error);
}
