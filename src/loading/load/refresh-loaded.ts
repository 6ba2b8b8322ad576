import type { EntityClass, EntityManager } from '@mikro-orm/postgresql';
import { deletedAlong } from '../../postgres/orm/guards/deleted-along.ts';

/**
 * Refreshes the rows of an entity that a unit of work has loaded, and the rows that cascades may have changed, after statements that
 * bypassed the identity map. Removes deleted rows from it.
 */
export async function refreshLoaded<E extends object>(
  em: EntityManager,
  entity: EntityClass<E>,
): Promise<void> {
  const unit = em.getUnitOfWork();
  const stale = new Set<object>();
  for (const row of unit.getIdentityMap().getStore(em.getMetadata().get(entity)).values()) {
    const { deleted, cleared } = deletedAlong(unit, em.getMetadata(), row);
    for (const one of [row, ...deleted, ...cleared.map(([other]) => other)]) stale.add(one);
  }
  for (const row of stale) {
    // One query each: a unit of work holds few such rows.
    if (!(await em.refresh(row))) unit.unsetIdentity(row);
  }
}
