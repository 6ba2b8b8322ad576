import type { EntityClass, EntityManager } from '@mikro-orm/postgresql';
import { deletedAlong } from '../postgres/orm/guards/deleted-along.ts';

/**
 * Brings up to date what a unit of work has loaded of an entity, after statements that went past it, and what hangs on that. Rows
 * that are gone are forgotten.
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
    // One after the other: a unit of work has few.
    if (!(await em.refresh(row))) unit.unsetIdentity(row);
  }
}
