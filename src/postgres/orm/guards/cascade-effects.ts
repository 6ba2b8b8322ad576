import { Reference, type MetadataStorage, type UnitOfWork } from '@mikro-orm/postgresql';

/** The effects of a deleted row on the loaded and staged rows that reference it, directly or through others. */
export interface CascadeEffects {
  /** The rows that the database deletes too (`on delete cascade`). */
  readonly deleted: Set<object>;
  /** The rows whose reference the database clears (`on delete set null`). */
  readonly cleared: ClearedReference[];
}

interface ClearedReference {
  readonly row: object;
  /** The name of the property that references the deleted row. */
  readonly property: string;
  /** The name of the property with the version of `row`. */
  readonly versionProperty: string;
}

/** Returns the effects on the loaded and staged rows of a unit of work when the database deletes `row`. Reads no rows. */
export function cascadeEffects(loaded: UnitOfWork, metadata: MetadataStorage, row: object): CascadeEffects {
  const effects: CascadeEffects = { deleted: new Set(), cleared: [] };
  follow(row);
  return effects;

  function follow(deleted: object): void {
    for (const { meta, prop } of metadata.get(deleted.constructor).referencingProperties) {
      // A loaded row may be staged too.
      const known = new Set<object>([
        ...loaded.getIdentityMap().getStore(meta).values(),
        ...loaded.getPersistStack(),
      ]);
      for (const other of known) {
        if (other.constructor !== meta.class || effects.deleted.has(other)) continue;
        const referenced: unknown = Reference.unwrapReference(Reflect.get(other, prop.name));
        if (referenced !== deleted) continue;
        if (prop.deleteRule === 'cascade') {
          effects.deleted.add(other);
          follow(other);
        } else if (prop.deleteRule === 'set null') {
          const { versionProperty } = meta;
          effects.cleared.push({ row: other, property: prop.name, versionProperty });
        }
      }
    }
  }
}
