import { isNativeError } from 'node:util/types';
/** The SQLSTATE of an error, or of what caused it; empty when it has none. */
export function sqlStateOf(error: unknown): string {
  if (!isNativeError(error)) return '';
  if ('code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code))
    return error.code;
  return sqlStateOf(error.cause);
}

/** Whether the connection broke, so that nobody can tell what became of the last statement. */
export function isLostConnection(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== '') return state.startsWith('08') || state.startsWith('57P');
  return isNativeError(error);
}
