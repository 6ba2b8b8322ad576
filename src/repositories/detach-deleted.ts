import type { EntityClass, EntityManager, Primary } from '@mikro-orm/postgresql';
import { cascadeEffects } from '../postgres/orm/guards/cascade-effects.ts';

/**
 * Removes rows that a statement has deleted from the identity map, and the rows that the database deleted with them. Returns the number of
 * `deleted`.
 */
export function detachDeleted<E extends object>(
  em: EntityManager,
  entity: EntityClass<E>,
  deleted: readonly { id: Primary<E> }[],
): number {
  const unitOfWork = em.getUnitOfWork();
  for (const { id } of deleted) {
    const loaded = unitOfWork.getById(entity, id);
    if (!loaded) continue;
    for (const other of cascadeEffects(unitOfWork, em.getMetadata(), loaded).deleted)
      unitOfWork.unsetIdentity(other);
    unitOfWork.unsetIdentity(loaded);
  }
  return deleted.length;
}
