import { Reference, type MetadataStorage, type UnitOfWork } from '@mikro-orm/postgresql';

/** What the database does to rows that a unit of work knows when it deletes one that they point at. */
interface Along {
  /** Those that it deletes too. */
  readonly deleted: Set<object>;
  /** Those that it leaves pointing at nothing, and by which property. */
  readonly cleared: (readonly [row: object, property: string])[];
}

/** What happens to the rows that are loaded or staged when the database deletes `row`. */
export function deletedAlong(loaded: UnitOfWork, metadata: MetadataStorage, row: object): Along {
  const along: Along = { deleted: new Set(), cleared: [] };
  follow(row);
  return along;

  function follow(gone: object): void {
    for (const { meta, prop } of metadata.get(gone.constructor).referencingProperties) {
      // One that is loaded may be staged too.
      const known = new Set<object>([
        ...loaded.getIdentityMap().getStore(meta).values(),
        ...loaded.getPersistStack(),
      ]);
      for (const other of known) {
        if (other.constructor !== meta.class || along.deleted.has(other)) continue;
        const pointedAt: unknown = Reference.unwrapReference(Reflect.get(other, prop.name));
        if (pointedAt !== gone) continue;
        if (prop.deleteRule === 'cascade') {
          along.deleted.add(other);
          follow(other);
        } else if (prop.deleteRule === 'set null') {
          along.cleared.push([other, prop.name]);
        }
      }
    }
  }
}
