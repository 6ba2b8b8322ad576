import type { EntityManager } from '@mikro-orm/postgresql';
import { ForbiddenError } from '../errors.ts';

/** The error, with its remedy, for a role that may make no temporary tables; null for any other error. */
export function temporaryTablesDenied(
  error: unknown,
  em: EntityManager,
  otherwise?: string,
): ForbiddenError | null {
  // PostgreSQL has no code of its own for it.
  if (!(error instanceof Error && error.message.includes('permission denied to create temporary tables')))
    return null;
  const [database, role] = [em.config.get('dbName'), em.config.get('user')];
  const remedies = [`grant temporary on database "${database}" to "${role}"`, otherwise ?? []].flat();
  return new ForbiddenError(
    `the rows are put into a temporary table first, and the role may make none; ${remedies.join(', ')}`,
    {},
    { cause: error },
  );
}
