import { NotFoundError as NotFoundByOrm, type Options } from '@mikro-orm/core';
import { NotFoundError } from '../../../errors.ts';
import type { Connections } from '../../client/connections.ts';

/** Returns the handlers that make the error for a missing row, also where no entity manager is called, as in `reference.loadOrFail`. */
export function notFoundHandlers(
  connections: Connections,
): Pick<Options, 'findOneOrFailHandler' | 'findExactlyOneOrFailHandler'> {
  const notFoundError = (entity: string, where: unknown, byOrm: Error): Error => {
    if (!connections.throwsDataErrors) return byOrm;
    // Conditions other than a key may have row data.
    const key = typeof where === 'string' || typeof where === 'number' ? where : undefined;
    return new NotFoundError(entity, key, { cause: byOrm });
  };
  return {
    findOneOrFailHandler: (entity, where) =>
      notFoundError(entity, where, NotFoundByOrm.findOneFailed(entity, where)),
    findExactlyOneOrFailHandler: (entity, where) =>
      notFoundError(entity, where, NotFoundByOrm.findExactlyOneFailed(entity, where)),
  };
}
