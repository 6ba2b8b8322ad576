import type { EntityClass, EntityManager, Primary } from '@mikro-orm/postgresql';
import { cascadeEffects } from '../postgres/orm/guards/cascade-effects.ts';

/**
 * Makes the unit of work forget rows that a statement deleted past it, where it has loaded them, and those that the database
 * deleted along with them. Gives how many were deleted.
 */
export function forget<E extends object>(
  em: EntityManager,
  entity: EntityClass<E>,
  deleted: readonly { id: Primary<E> }[],
): number {
  const loaded = em.getUnitOfWork();
  for (const { id } of deleted) {
    const gone = loaded.getById(entity, id);
    if (!gone) continue;
    for (const other of cascadeEffects(loaded, em.getMetadata(), gone).deleted) loaded.unsetIdentity(other);
    loaded.unsetIdentity(gone);
  }
  return deleted.length;
}
