import { wrap, type EntityFactory, type EntityManager, type EntityMetadata } from '@mikro-orm/core';

/** How often this unit of work itself raised a row's version by a statement, since the row was read. */
const ownVersions = new WeakMap<object, number>();

/** Tells that a statement of this unit of work raised the version of a loaded row. */
export function raisedVersion(entity: object): void {
  ownVersions.set(entity, (ownVersions.get(entity) ?? 0) + 1);
}

interface Kept {
  readonly owner: object;
  readonly name: string;
  readonly value: unknown;
}

type Create = (name: never, data: Record<string, unknown>, options?: Record<string, unknown>) => object;

/**
 * Has the ORM read rows without a loss: what the caller changed and has not flushed stays, and counts as changed from what the row holds
 * now; everything else is brought up to date. The version stays as it was read under changes that were decided on an older row, so that
 * their flush fails.
 */
export function keepChanges(em: EntityManager): void {
  const factory = em.getEntityFactory();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of what the ORM hands over, this much is used
  const original = factory.create.bind(factory) as unknown as Create;
  const metadata = em.getMetadata();
  const create: Create = (name, data, options = {}) => {
    if (!options['merge'] || options['newEntity'] || options['initialized'] === false)
      return original(name, data, options);
    const meta: EntityMetadata = metadata.get(name);
    const loaded = loadedOf(em, meta, data);
    if (!loaded) return original(name, data, options);
    const wrapped = wrap(loaded, true);
    const was: Record<string, unknown> = { ...wrapped.__originalEntityData };
    const changed = changedKeys(em, meta, loaded, was);
    const kept = changed.map((key) => keep(meta, loaded, key));
    const version = meta.versionProperty;
    const given: unknown = version && data[version];
    const had: unknown = version && Reflect.get(loaded, version);
    const explained = ownVersions.get(loaded) ?? 0;
    const entity = original(name, data, { ...options, refresh: true });
    // A row may have been read in part.
    wrapped.__originalEntityData = { ...was, ...wrapped.__originalEntityData };
    for (const { owner, name: property, value } of kept) Reflect.set(owner, property, value);
    if (version && typeof given === 'number' && typeof had === 'number') {
      if (changed.length > 0 && given - had > explained) Reflect.set(loaded, version, had);
      else ownVersions.delete(loaded);
    }
    return entity;
  };
  Object.assign(factory, { create } as unknown as Partial<EntityFactory>);
}

function loadedOf(
  em: EntityManager,
  meta: EntityMetadata,
  data: Record<string, unknown>,
): object | undefined {
  const keys = meta.primaryKeys.map((key) => data[key]);
  if (keys.some((key) => key === undefined || key === null || typeof key === 'object')) return undefined;
  const found = em.getUnitOfWork(false).getById(meta.class, (meta.simplePK ? keys[0] : keys) as never) as
    | object
    | undefined;
  if (!found) return undefined;
  const { __initialized, __managed, __originalEntityData } = wrap(found, true);
  return __initialized && __managed && __originalEntityData ? found : undefined;
}

function changedKeys(em: EntityManager, meta: EntityMetadata, entity: object, was: object): string[] {
  const comparator = em.getComparator();
  return Object.keys(
    comparator.diffEntities(meta.class, was as never, comparator.prepareEntity(entity) as never),
  );
}

function keep(meta: EntityMetadata, entity: object, key: string): Kept {
  const [parent, leaf] = meta.properties[key as never]?.['embedded'] ?? [];
  const owner = parent === undefined ? undefined : (Reflect.get(entity, parent) as object | undefined);
  return owner && leaf !== undefined
    ? { owner, name: leaf, value: Reflect.get(owner, leaf) }
    : { owner: entity, name: key, value: Reflect.get(entity, key) };
}
