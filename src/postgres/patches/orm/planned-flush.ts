import {
  EventType,
  Reference,
  wrap,
  type ChangeSet,
  type EntityManager,
  type EntityMetadata,
  type UnitOfWork,
} from '@mikro-orm/core';
import { acceptsBatches } from '../../../guards/register-guard.ts';
import { BatchUpdateDriver } from '../../orm/driver/batch-update-driver.ts';
import type { StoredValues } from '../../orm/entities/changed-values.ts';
import { isOurs } from '../../orm/entities/our-entities.ts';

/** A flush that the ORM does not compute. */
export interface PlannedFlush {
  readonly changes: readonly ChangeSet<object>[];
  /** For each changed entity, all of its values in the form of a snapshot. */
  readonly values: ReadonlyMap<object, StoredValues>;
  /** Sends the changes. */
  readonly write: () => Promise<void>;
}

/** Returns whether changes of rows of a table can be flushed without the ORM, when nothing listens to `events` of them. */
export function canPlan(em: EntityManager, meta: EntityMetadata, events: readonly EventType[]): boolean {
  const driver = em.getDriver();
  return (
    isOurs(meta) &&
    em.isInTransaction() &&
    driver instanceof BatchUpdateDriver &&
    driver.locksBatches(meta) &&
    meta.getOwnConcurrencyCheckKeys().length === 0 &&
    !meta.readonly &&
    !meta.root.inheritanceType &&
    Reflect.get(em, 'signal') === undefined &&
    Reflect.get(em, 'inflightQueryAbortStrategy') === undefined &&
    !events.some((event) => em.getEventManager().hasListeners(event, meta)) &&
    acceptPlans(em)
  );
}

/** Returns whether all subscribers of flushes accept those that the ORM does not compute. */
export function acceptPlans(em: EntityManager): boolean {
  for (const subscriber of em.getEventManager().getSubscribers())
    if (!acceptsBatches(subscriber)) return false;
  return true;
}

/** Returns whether a flush has to delete rows, or to write more than their columns. */
export function hasRemovals(uow: UnitOfWork): boolean {
  const staged = [uow.getRemoveStack(), uow.getOrphanRemoveStack(), uow.getExtraUpdates()];
  return staged.some(({ size }) => size > 0) || uow.getCollectionUpdates().length > 0;
}

/** Returns whether the ORM would not have to insert a parent of an entity. */
export function hasManagedParents(meta: EntityMetadata, entity: object): boolean {
  return meta.relations.every(({ name }) => {
    const parent: unknown = Reference.unwrapReference<object>(Reflect.get(entity, name));
    if (parent === null || parent === undefined) return true;
    if (typeof parent !== 'object') return false;
    const { __managed: isManaged }: { __managed?: unknown } = wrap(parent, true);
    return isManaged === true;
  });
}

/**
 * Runs a planned flush: calls the subscribers as the ORM does, writes the changes, and makes the written values the snapshots.
 *
 * @throws as the ORM's flush.
 */
export async function runPlannedFlush(
  em: EntityManager,
  { changes, values, write }: PlannedFlush,
): Promise<void> {
  const uow = em.getUnitOfWork(false);
  const events = em.getEventManager();
  const markProcessing = (isProcessing: boolean): void => {
    for (const { entity } of changes) Object.assign(wrap(entity, true), { __processing: isProcessing });
  };
  try {
    await events.dispatchEvent(EventType.beforeFlush, { em, uow });
    markProcessing(true);
    await events.dispatchEvent(EventType.onFlush, { em, uow });
    await write();
    for (const [entity, written] of values)
      Object.assign(wrap(entity, true), { __originalEntityData: written });
    markProcessing(false);
    await events.dispatchEvent(EventType.afterFlush, { em, uow });
  } finally {
    markProcessing(false);
    // What was staged meanwhile is kept for the next flush by `MidFlushStaging`.
    for (const stack of [uow.getPersistStack(), uow.getRemoveStack(), uow.getOrphanRemoveStack()])
      stack.clear();
    uow.clearActionsQueue();
  }
}
