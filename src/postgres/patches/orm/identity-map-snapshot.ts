import { isDate } from 'node:util/types';
import { JsonType, wrap, type EntityManager } from '@mikro-orm/core';
import { comparableText } from '../../../json/document-text.ts';
import { parseDocument } from '../../../json/stored-digits.ts';
import { trackAssignments } from './tracked-assignments.ts';

/** The loaded entities when an inner unit of work began. One of its methods is called when the inner unit ends. */
export interface IdentityMapSnapshot {
  /** Restores the entities and their values. Keeps values that other code of the outer unit assigned since. */
  restore(): void;
  /** Keeps the entities as they are now. */
  discard(): void;
}

/**
 * Takes a snapshot of the loaded entities and their values, right after a flush. Restoring it sends no statements. A refresh would, and it
 * would load newer row versions that other transactions have committed, under values that were computed before. `isInside` returns whether
 * the current code belongs to the inner unit of work.
 */
export function snapshotIdentityMap(em: EntityManager, isInside: () => boolean): IdentityMapSnapshot {
  const unit = em.getUnitOfWork();
  const snapshots = new Map<object, IdentityMapSnapshot>();
  for (const entity of unit.getIdentityMap()) snapshots.set(entity, snapshotEntity(em, entity, isInside));
  return {
    restore() {
      for (const staged of [unit.getPersistStack(), unit.getRemoveStack(), unit.getOrphanRemoveStack()])
        staged.clear();
      for (const entity of unit.getIdentityMap().values())
        if (!snapshots.has(entity)) unit.unsetIdentity(entity);
      for (const entity of snapshots.values()) entity.restore();
    },
    discard() {
      for (const entity of snapshots.values()) entity.discard();
    },
  };
}

function snapshotEntity(em: EntityManager, entity: object, isInside: () => boolean): IdentityMapSnapshot {
  trackAssignments(entity);
  // The ORM keeps a tracked entity's values in one place, and a snapshot to compare them with in another.
  const wrapped = wrap(entity, true);
  const { __meta: meta, __initialized, __data, __originalEntityData } = wrapped;
  const values: Record<string, unknown> = { ...__data };
  for (const [name, value] of Object.entries(values)) {
    // A `Date` may be changed in place.
    if (isDate(value)) values[name] = new Date(value);
  }
  const snapshot: Record<string, unknown> = { ...__originalEntityData };
  // The inner unit must not roll back what other code of the outer unit assigns.
  const assignedOutside: Record<string | symbol, unknown> = {};
  const watched = new Proxy(__data, {
    set(target, key, value) {
      if (!isInside()) assignedOutside[key] = value;
      return Reflect.set(target, key, value);
    },
  });
  Object.assign(wrapped, { __data: watched });
  return {
    restore() {
      for (const { name, customType } of meta.props) {
        const [value, was]: unknown[] = [values[name], snapshot[name]];
        // A document may have been changed in place.
        if (customType instanceof JsonType && typeof was === 'string' && comparableText(value) !== was)
          values[name] = parseDocument(was);
      }
      Object.assign(wrapped, { __em: em, __initialized, __data: Object.assign(values, assignedOutside) });
      em.getUnitOfWork().register(entity, snapshot, { refresh: true });
    },
    discard() {
      // The ORM may have replaced the object.
      const { __data: present } = wrapped;
      if (present === watched) Object.assign(wrapped, { __data });
    },
  };
}
