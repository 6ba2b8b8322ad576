import { NotFoundError as NotFoundByOrm, type Options } from '@mikro-orm/core';
import { NotFoundError } from '../../../errors.ts';
import type { Connections } from '../../client/connections.ts';

/** What the ORM throws for a row that must be there and is not, also where no entity manager is called, as in `reference.loadOrFail`. */
export function notFoundHandlers(
  connections: Connections,
): Pick<Options, 'findOneOrFailHandler' | 'findExactlyOneOrFailHandler'> {
  const ours = (entity: string, where: unknown, byOrm: Error): Error => {
    if (!connections.throwsDataErrors) return byOrm;
    // Criteria other than a key may hold values of rows.
    const key = typeof where === 'string' || typeof where === 'number' ? where : undefined;
    return new NotFoundError(entity, key, { cause: byOrm });
  };
  return {
    findOneOrFailHandler: (entity, where) => ours(entity, where, NotFoundByOrm.findOneFailed(entity, where)),
    findExactlyOneOrFailHandler: (entity, where) =>
      ours(entity, where, NotFoundByOrm.findExactlyOneFailed(entity, where)),
  };
}
