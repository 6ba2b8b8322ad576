import { isNativeError } from 'node:util/types';
/** `ENOENT`, `EACCES` and the like, of an error that the system raised; undefined for any other value. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!isNativeError(error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
