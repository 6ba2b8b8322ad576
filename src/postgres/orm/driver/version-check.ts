import type { EntityData, EntityMetadata } from '@mikro-orm/core';

/** The ORM's query before the update of a batch: which rows still have the version that was read. */
export interface VersionCheck<T> {
  /** By key. */
  readonly versions: ReadonlyMap<unknown, number>;
  /** The result if all rows still have their version. */
  readonly rows: EntityData<T>[];
}

// The options of this query. Other queries have more, such as `populate` and `filters`.
const knownOptions = new Set(['ctx', 'fields', 'loggerContext', 'orderBy', 'schema']);

/**
 * Returns the versions that a `find` of the driver checks; null for any other query. An unrecognized form, such as that of a later version
 * of the ORM, is sent to the database, which is slower but correct.
 */
export function parseVersionCheck<T>(
  meta: EntityMetadata<T>,
  where: object,
  given: { readonly fields?: unknown },
): VersionCheck<T> | null {
  const [key, ...others] = meta.primaryKeys;
  if (others.length > 0 || !key || Object.keys(given).some((name) => !knownOptions.has(name))) return null;
  const asked = '$or' in where && Object.keys(where).length === 1 ? where.$or : null;
  const { fields } = given;
  if (!Array.isArray(asked) || !Array.isArray(fields) || fields.length !== 1 || fields[0] !== key)
    return null;
  const versions = new Map<unknown, number>();
  for (const one of asked as readonly object[]) {
    const version: unknown = Reflect.get(one, meta.versionProperty);
    if (Object.keys(one).length !== 2 || typeof version !== 'number') return null;
    versions.set(Reflect.get(one, key), version);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the query selects the keys of rows only
  return { versions, rows: [...versions.keys()].map((value) => ({ [key]: value })) as EntityData<T>[] };
}
