import { ChangeSetComputer, ChangeSetType, EventType, wrap, type EntityManager } from '@mikro-orm/core';
import { isUnchanged } from '../../orm/entities/changed-values.ts';
import { canPlan, hasManagedParents, hasRemovals, type PlannedFlush } from './planned-flush.ts';

const insertEvents = [EventType.beforeCreate, EventType.afterCreate];

/** Plans a flush that does nothing but insert one row, whose parents are stored; null for any other. */
export function planInsert(em: EntityManager): PlannedFlush | null {
  const uow = em.getUnitOfWork(false);
  const [entity, ...others] = uow.getPersistStack();
  if (!entity || others.length > 0 || hasRemovals(uow)) return null;
  const { __meta: meta, __originalEntityData: snapshot } = wrap(entity, true);
  if (snapshot || !canPlan(em, meta, insertEvents) || !hasManagedParents(meta, entity)) return null;
  for (const loaded of uow.getIdentityMap()) if (loaded !== entity && !isUnchanged(loaded)) return null;
  const change = new ChangeSetComputer(em, new Set()).computeChangeSet(entity);
  if (change?.type !== ChangeSetType.CREATE || !wrap(entity, true).hasPrimaryKey()) return null;
  return {
    changes: [change],
    values: new Map(),
    async write() {
      await uow.getChangeSetPersister().executeInserts([change], { ctx: em.getTransactionContext() });
      uow.register(entity, change.payload, { refresh: true });
    },
  };
}
