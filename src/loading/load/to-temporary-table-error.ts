import { isNativeError } from 'node:util/types';
import type { EntityManager } from '@mikro-orm/postgresql';
import { ForbiddenError } from '../../errors.ts';

/**
 * Returns a `ForbiddenError` with the remedy when `error` says that the role may not create temporary tables; null for any other error.
 * `otherwise` is a second remedy.
 */
export function toTemporaryTableError(
  error: unknown,
  em: EntityManager,
  otherwise?: string,
): ForbiddenError | null {
  if (!isDenied(error)) return null;
  const [database, role] = [em.config.get('dbName'), em.config.get('user')];
  const remedies = [`run: grant temporary on database "${database}" to "${role}"`, otherwise ?? []].flat();
  return new ForbiddenError(
    `role "${role}" may not create temporary tables, which this load needs; ${remedies.join(', ')}`,
    {},
    { cause: error },
  );
}

// The SQLSTATE is that of any missing privilege, and the text may be localized; the name of the C function is not.
function isDenied(error: unknown): boolean {
  if (!isNativeError(error)) return false;
  return ('routine' in error && error.routine === 'InitTempTableNamespace') || isDenied(error.cause);
}
