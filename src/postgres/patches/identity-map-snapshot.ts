import { isDate } from 'node:util/types';
import { JsonType, wrap, type EntityManager } from '@mikro-orm/core';
import { comparableText } from '../../json/document-text.ts';
import { parseDocument } from '../../json/stored-digits.ts';

/** What was loaded when an inner unit of work began. One of the two is called when it ends. */
export interface IdentityMapSnapshot {
  /** Brings all back as it was, but for what was assigned outside the inner unit of work meanwhile. */
  restore(): void;
  /** Leaves all as it is. */
  keep(): void;
}

/**
 * Remembers what is loaded, with all values, at a moment when nothing waits to be written. It is restored without asking the database: a
 * refresh would cost statements, and let in what others have committed since, newer row versions included, under values that were decided
 * on before. `isInside` says whether an assignment belongs to the inner unit of work.
 */
export function snapshotIdentityMap(em: EntityManager, isInside: () => boolean): IdentityMapSnapshot {
  const unit = em.getUnitOfWork();
  const remembered = new Map<object, IdentityMapSnapshot>();
  for (const entity of unit.getIdentityMap()) remembered.set(entity, snapshotEntity(em, entity, isInside));
  return {
    restore() {
      for (const staged of [unit.getPersistStack(), unit.getRemoveStack(), unit.getOrphanRemoveStack()])
        staged.clear();
      for (const entity of unit.getIdentityMap().values())
        if (!remembered.has(entity)) unit.unsetIdentity(entity);
      for (const entity of remembered.values()) entity.restore();
    },
    keep() {
      for (const entity of remembered.values()) entity.keep();
    },
  };
}

function snapshotEntity(em: EntityManager, entity: object, isInside: () => boolean): IdentityMapSnapshot {
  // The ORM keeps an entity's values in one place, and a snapshot to compare them with in another.
  const wrapped = wrap(entity, true);
  const { __meta: meta, __initialized, __data, __originalEntityData } = wrapped;
  const values: Record<string, unknown> = { ...__data };
  for (const [name, value] of Object.entries(values)) {
    // It may be changed in place.
    if (isDate(value)) values[name] = new Date(value);
  }
  const snapshot: Record<string, unknown> = { ...__originalEntityData };
  // What other code of the outer unit assigns meanwhile is not for the inner unit to roll back.
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
        // What may have been changed in place is made anew.
        if (customType instanceof JsonType && typeof was === 'string' && comparableText(value) !== was)
          values[name] = parseDocument(was);
      }
      Object.assign(wrapped, { __em: em, __initialized, __data: Object.assign(values, assignedOutside) });
      em.getUnitOfWork().register(entity, snapshot, { refresh: true });
    },
    keep() {
      // The ORM may have put other values in its place.
      const { __data: present } = wrapped;
      if (present === watched) Object.assign(wrapped, { __data });
    },
  };
}
