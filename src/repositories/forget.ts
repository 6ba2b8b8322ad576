import { Reference, type EntityClass, type EntityManager, type Primary } from '@mikro-orm/postgresql';

/**
 * Makes the unit of work forget rows that a statement deleted past it, where it has loaded them, and those that the database
 * deleted along with them. Gives how many were deleted.
 */
export function forget<E extends object>(
  em: EntityManager,
  entity: EntityClass<E>,
  deleted: readonly { id: Primary<E> }[],
): number {
  for (const { id } of deleted) {
    const gone = em.getUnitOfWork().getById(entity, id);
    if (gone) forgetCascading(em, gone);
  }
  return deleted.length;
}

// What goes along goes first: the ORM takes the reference to what is gone from each row that it still knows, as a change to write.
function forgetCascading(em: EntityManager, gone: object): void {
  const loaded = em.getUnitOfWork();
  for (const { meta, prop } of em.getMetadata().get(gone.constructor).referencingProperties) {
    if (prop.deleteRule !== 'cascade') continue;
    for (const other of loaded.getIdentityMap().getStore(meta).values()) {
      const pointedAt: unknown = Reference.unwrapReference(other[prop.name]);
      if (pointedAt === gone) forgetCascading(em, other);
    }
  }
  loaded.unsetIdentity(gone);
}
