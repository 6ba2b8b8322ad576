import type { EntityClass, EntityManager, EntityMetadata } from '@mikro-orm/postgresql';

/** A new key, as the entity mints it; for a row that a statement inserts past a flush. */
export function mintKey<E extends object>(em: EntityManager, entity: EntityClass<E>): string {
  const meta: EntityMetadata = em.getMetadata().get(entity);
  const minted: unknown = meta.getPrimaryProp().onCreate?.({}, em);
  if (typeof minted !== 'string') throw new Error(`${meta.className} mints no key`);
  return minted;
}
