import type { EntityClass, EntityManager } from '@mikro-orm/postgresql';
import { cascadeEffects } from '../../postgres/orm/guards/cascade-effects.ts';

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
    const { deleted, cleared } = cascadeEffects(unit, em.getMetadata(), row);
    for (const changed of [row, ...deleted, ...cleared.map((reference) => reference.row)]) stale.add(changed);
  }
  for (const row of stale) {
    // One query each: a unit of work holds few such rows.
    if (!(await em.refresh(row))) unit.unsetIdentity(row);
  }
}
