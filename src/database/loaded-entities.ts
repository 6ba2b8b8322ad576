import { isDate } from 'node:util/types';
import { JsonType, wrap, type EntityManager } from '@mikro-orm/core';
import { comparableText } from '../json/document-text.ts';
import { parseDocument } from '../json/stored-digits.ts';

/**
 * Remembers what is loaded, with all values, at a moment when nothing waits to be written. The function that it gives brings that
 * back without asking the database: a refresh would cost statements, and let in what others have committed since, newer row
 * versions included, under values that were decided on before.
 */
export function rememberLoaded(em: EntityManager): () => void {
  const unit = em.getUnitOfWork();
  const remembered = new Map<object, () => void>();
  for (const entity of unit.getIdentityMap()) remembered.set(entity, rememberEntity(em, entity));
  return () => {
    for (const staged of [unit.getPersistStack(), unit.getRemoveStack(), unit.getOrphanRemoveStack()]) {
      staged.clear();
    }
    for (const entity of unit.getIdentityMap().values()) {
      if (!remembered.has(entity)) unit.unsetIdentity(entity);
    }
    for (const restore of remembered.values()) restore();
  };
}

function rememberEntity(em: EntityManager, entity: object): () => void {
  // The ORM keeps an entity's values in one place and, to tell what has changed, a snapshot of them in another.
  const wrapped = wrap(entity, true);
  const { __meta: meta, __initialized, __data, __originalEntityData } = wrapped;
  const values: Record<string, unknown> = { ...__data };
  for (const [name, value] of Object.entries(values)) {
    // It may be changed in place.
    if (isDate(value)) values[name] = new Date(value);
  }
  const snapshot: Record<string, unknown> = { ...__originalEntityData };
  return () => {
    for (const { name, customType } of meta.props) {
      const [value, was]: unknown[] = [values[name], snapshot[name]];
      // What may have been changed in place is made anew.
      if (customType instanceof JsonType && typeof was === 'string' && comparableText(value) !== was) {
        values[name] = parseDocument(was);
      }
    }
    Object.assign(wrapped, { __em: em, __initialized, __data: values });
    em.getUnitOfWork().register(entity, snapshot, { refresh: true });
  };
}
