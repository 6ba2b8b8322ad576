import type { EntityClass, EntityManager, EntityMetadata } from '@mikro-orm/postgresql';

/** Returns a new key, generated as the entity does on a flush; for a row that a statement inserts without one. */
export function generateKey<E extends object>(em: EntityManager, entity: EntityClass<E>): string {
  const meta: EntityMetadata = em.getMetadata().get(entity);
  const key: unknown = meta.getPrimaryProp().onCreate?.({}, em);
  if (typeof key !== 'string') throw new Error(`${meta.className} generates no key: declare it by \`id()\``);
  return key;
}
