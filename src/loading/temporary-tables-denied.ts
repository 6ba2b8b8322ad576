import { isNativeError } from 'node:util/types';
import type { EntityManager } from '@mikro-orm/postgresql';
import { ForbiddenError } from '../errors.ts';

/** The error, with its remedy, for a role that may make no temporary tables; null for any other error. */
export function temporaryTablesDenied(
  error: unknown,
  em: EntityManager,
  otherwise?: string,
): ForbiddenError | null {
  if (!isDenied(error)) return null;
  const [database, role] = [em.config.get('dbName'), em.config.get('user')];
  const remedies = [`grant temporary on database "${database}" to "${role}"`, otherwise ?? []].flat();
  return new ForbiddenError(
    `the rows are put into a temporary table first, and the role may make none; ${remedies.join(', ')}`,
    {},
    { cause: error },
  );
}

// PostgreSQL has no code of its own for it, and the text may be in the server's language; the place in its source is not.
function isDenied(error: unknown): boolean {
  if (!isNativeError(error)) return false;
  return ('routine' in error && error.routine === 'InitTempTableNamespace') || isDenied(error.cause);
}
