import type { EntityData, EntityMetadata } from '@mikro-orm/core';

/** What the ORM wants to know of a batch of changed rows: which of them still have the version that was seen. */
export interface VersionCheck<T> {
  /** By key. */
  readonly versions: ReadonlyMap<unknown, number>;
  /** The answer if all of them do. */
  readonly rows: EntityData<T>[];
}

// The options of the ORM's own question. Other queries have more: what to populate, how to filter.
const options = new Set(['ctx', 'fields', 'loggerContext', 'orderBy', 'schema']);

/**
 * Returns what the ORM asks by this `find` of its driver; null when it is any other question. A form that is not recognized, such as
 * that of a later version of the ORM, is asked of the database: slower, and as right.
 */
export function parseVersionCheck<T>(
  meta: EntityMetadata<T>,
  where: object,
  given: { readonly fields?: unknown },
): VersionCheck<T> | null {
  const [key, ...others] = meta.primaryKeys;
  if (others.length > 0 || !key || Object.keys(given).some((name) => !options.has(name))) return null;
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
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of rows, which is all that was asked for
  return { versions, rows: [...versions.keys()].map((value) => ({ [key]: value })) as EntityData<T>[] };
}
