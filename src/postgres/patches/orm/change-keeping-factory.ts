import {
  EntityFactory,
  EventType,
  wrap,
  type EntityData,
  type EntityManager,
  type EntityMetadata,
  type EntityName,
  type New,
} from '@mikro-orm/core';
import { versionIncrementsOf } from '../../orm/entities/version-increments.ts';
import { isOurs } from '../../orm/entities/our-entities.ts';
import { hydratorOf } from './compiled-hydrator.ts';

type FactoryOptions = NonNullable<Parameters<EntityFactory['create']>[2]>;

type Values = Record<string, unknown>;

/**
 * The ORM's factory of entities, which creates an entity for every row that is read. Here, a row of our entities that is read again keeps its
 * unflushed changes, as changes of the new values, and its other properties are updated. If there are unflushed changes, the entity keeps
 * the version that they were based on, so that their flush fails when another writer has changed the row.
 */
export class ChangeKeepingFactory extends EntityFactory {
  declare private readonly manager: EntityManager | undefined;

  /** Replaces the factory of `em` by this class. */
  static adopt(em: EntityManager): void {
    const factory: EntityFactory & { manager?: EntityManager } = em.getEntityFactory();
    Object.setPrototypeOf(factory, ChangeKeepingFactory.prototype);
    factory.manager = em;
  }

  override create<T extends object, P extends string = string>(
    name: EntityName<T>,
    data: EntityData<T>,
    options: FactoryOptions = {},
  ): New<T, P> {
    const em = this.manager;
    if (!em || !options.merge || options.newEntity || options.initialized === false)
      return super.create<T, P>(name, data, options);
    const meta = em.getMetadata().get(name);
    const found = isOurs(meta) ? findLoaded(em, meta, data) : null;
    if (found === undefined) {
      const made = hydrate(em, meta, data, options);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entity of `meta`
      if (made) return made as New<T, P>;
    }
    if (!found || !isLoaded(found)) return super.create<T, P>(name, data, options);
    const changes = new UnflushedChanges(em, found);
    const version = new SeenVersion(found, data);
    const entity = super.create<T, P>(name, data, { ...options, refresh: true });
    changes.restore();
    version.apply(changes.hasAny);
    return entity;
  }
}

/** Returns the entity of a row; undefined when the identity map has none, null when the row has no key to find it by. */
function findLoaded(em: EntityManager, meta: EntityMetadata, data: object): object | null | undefined {
  const keys = meta.primaryKeys.map((key): unknown => Reflect.get(data, key));
  if (!keys.every((key) => typeof key === 'string')) return null;
  return em.getUnitOfWork(false).getById(meta.class, keys.length === 1 ? keys[0] : keys);
}

/** Returns whether the values of an entity are loaded: it is no mere reference, and no entity that is yet to be inserted. */
function isLoaded(entity: object): boolean {
  const { __initialized, __managed, __originalEntityData } = wrap(entity, true);
  return Boolean(__initialized && __managed && __originalEntityData);
}

/** Returns the entity of a row that is not loaded; null where the ORM's factory has to make it. */
function hydrate(
  em: EntityManager,
  meta: EntityMetadata,
  data: object,
  options: FactoryOptions,
): object | null {
  const { convertCustomTypes, schema, recomputeSnapshot, normalizeAccessors } = options;
  if (!convertCustomTypes || schema !== undefined || recomputeSnapshot || normalizeAccessors) return null;
  const events = em.getEventManager();
  if (events.hasListeners(EventType.onInit, meta) || events.hasListeners(EventType.onLoad, meta)) return null;
  // Not an entity.
  if (Object.getPrototypeOf(data) !== Object.prototype) return null;
  return hydratorOf(meta, em)?.(data, em) ?? null;
}

/** The unflushed changes of an entity. */
class UnflushedChanges {
  readonly #entity: object;
  readonly #snapshot: Values;
  readonly #kept: readonly { owner: object; name: string; value: unknown }[];

  constructor(em: EntityManager, entity: object) {
    const { __meta: meta, __originalEntityData } = wrap(entity, true);
    this.#entity = entity;
    this.#snapshot = { ...__originalEntityData };
    const comparator = em.getComparator();
    const changed = comparator.diffEntities<Values>(
      meta.class,
      this.#snapshot,
      comparator.prepareEntity(entity),
    );
    this.#kept = Object.keys(changed).map((key) => {
      const { owner, name } = locationOf(meta, entity, key);
      return { owner, name, value: Reflect.get(owner, name) };
    });
  }

  get hasAny(): boolean {
    return this.#kept.length > 0;
  }

  restore(): void {
    const wrapped = wrap(this.#entity, true);
    // The query may have selected only some columns.
    const { __originalEntityData: read } = wrapped;
    Object.assign(wrapped, { __originalEntityData: { ...this.#snapshot, ...read } });
    for (const { owner, name, value } of this.#kept) Reflect.set(owner, name, value);
  }
}

/** Returns the object and the property with the value that the ORM compares by `key`: the entity, or an embedded object of it. */
function locationOf(meta: EntityMetadata, entity: object, key: string): { owner: object; name: string } {
  const [parent, name] = meta.props.find((prop) => prop.name === key)?.embedded ?? [];
  const owner: unknown = parent === undefined ? undefined : Reflect.get(entity, parent);
  return typeof owner === 'object' && owner !== null && name !== undefined
    ? { owner, name }
    : { owner: entity, name: key };
}

/** The version of a loaded entity, and that of its row as it is read now. */
class SeenVersion {
  readonly #entity: object;
  readonly #property: string | undefined;
  readonly #had: unknown;
  readonly #read: unknown;

  constructor(entity: object, data: object) {
    this.#entity = entity;
    const { __meta: meta } = wrap(entity, true);
    this.#property = meta.versionProperty;
    if (this.#property === undefined) return;
    this.#had = Reflect.get(entity, this.#property);
    this.#read = Reflect.get(data, this.#property);
  }

  apply(isChanged: boolean): void {
    if (this.#property === undefined || typeof this.#had !== 'number' || typeof this.#read !== 'number')
      return;
    const own = versionIncrementsOf(this.#entity);
    if (isChanged && this.#read - this.#had > own.count) Reflect.set(this.#entity, this.#property, this.#had);
    else own.reset();
  }
}
