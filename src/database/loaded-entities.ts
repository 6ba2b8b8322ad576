import { JsonType, wrap, type EntityManager } from '@mikro-orm/core';

/**
 * Remembers what is loaded, with all values, at a moment when nothing waits to be written. The function that it gives brings that
 * back without asking the database: a refresh would cost statements, and let in what others have committed since, newer row
 * versions included, under values that were decided on before.
 */
export function rememberLoaded(
  em: EntityManager,
  isInside: () => boolean,
): { back: () => void; keep: () => void } {
  const unit = em.getUnitOfWork();
  const remembered = new Map<object, Remembered>();
  for (const entity of unit.getIdentityMap()) remembered.set(entity, rememberEntity(em, entity, isInside));
  return {
    keep() {
      for (const { keep } of remembered.values()) keep();
    },
    back() {
      for (const staged of [unit.getPersistStack(), unit.getRemoveStack(), unit.getOrphanRemoveStack()]) {
        staged.clear();
      }
      for (const entity of unit.getIdentityMap().values()) {
        if (!remembered.has(entity)) unit.unsetIdentity(entity);
      }
      for (const { back } of remembered.values()) back();
    },
  };
}

interface Remembered {
  readonly back: () => void;
  readonly keep: () => void;
}

function rememberEntity(em: EntityManager, entity: object, isInside: () => boolean): Remembered {
  // The ORM keeps an entity's values in one place and, to tell what has changed, a snapshot of them in another.
  const wrapped = wrap(entity, true);
  const { __meta: meta, __initialized, __data, __originalEntityData } = wrapped;
  const values = { ...__data };
  const snapshot: Record<string, unknown> = { ...__originalEntityData };
  // What other code of the outer unit changes meanwhile is not the inner unit's to roll back.
  const outside = new Map<string | symbol, unknown>();
  const watched = new Proxy(__data, {
    set(target, key, value) {
      if (!isInside()) outside.set(key, value);
      return Reflect.set(target, key, value);
    },
  });
  wrapped.__data = watched;
  return {
    keep() {
      if (wrapped.__data === watched) wrapped.__data = __data;
    },
    back() {
      for (const { name, customType } of meta.props) {
        const [value, was]: unknown[] = [values[name], snapshot[name]];
        // What may have been changed in place is made anew.
        if (value instanceof Date && was instanceof Date) values[name] = new Date(was);
        if (customType instanceof JsonType && typeof was === 'string' && JSON.stringify(value) !== was) {
          values[name] = JSON.parse(was);
        }
      }
      Object.assign(wrapped, {
        __em: em,
        __initialized,
        __data: Object.assign(values, Object.fromEntries(outside)),
      });
      em.getUnitOfWork().register(entity, snapshot, { refresh: true });
    },
  };
}
