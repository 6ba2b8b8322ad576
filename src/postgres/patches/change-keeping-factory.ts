import {
  EntityFactory,
  wrap,
  type EntityData,
  type EntityManager,
  type EntityMetadata,
  type EntityName,
  type New,
} from '@mikro-orm/core';
import { versionIncrementsSince } from '../orm/entities/version-increments.ts';
import { isOurs } from '../orm/entities/our-entities.ts';

type FactoryOptions = NonNullable<Parameters<EntityFactory['create']>[2]>;

type Values = Record<string, unknown>;

const managers = new WeakMap<EntityFactory, EntityManager>();

/**
 * The ORM's factory of entities, through which it reads every row. Here, reading a row of ours again loses nothing: what was changed and
 * not flushed stays, and counts as changed from what the row holds now; all else is brought up to date. The version under changes that were
 * decided on an older row stays the older one, so that their flush fails.
 */
export class ChangeKeepingFactory extends EntityFactory {
  /** Makes the factory of `em` one. */
  static adopt(em: EntityManager): void {
    const factory = em.getEntityFactory();
    Object.setPrototypeOf(factory, ChangeKeepingFactory.prototype);
    managers.set(factory, em);
  }

  override create<T extends object, P extends string = string>(
    name: EntityName<T>,
    data: EntityData<T>,
    options: FactoryOptions = {},
  ): New<T, P> {
    const em = managers.get(this);
    const loaded =
      em && options.merge && !options.newEntity && options.initialized !== false
        ? loadedOf(em, em.getMetadata().get(name), data)
        : undefined;
    if (!em || !loaded) return super.create<T, P>(name, data, options);
    const changes = new UnflushedChanges(em, loaded);
    const version = new SeenVersion(loaded, data);
    const entity = super.create<T, P>(name, data, { ...options, refresh: true });
    changes.putBack();
    version.settle(changes.any);
    return entity;
  }
}

/** The loaded entity of ours that a row is of. */
function loadedOf(em: EntityManager, meta: EntityMetadata, data: object): object | undefined {
  if (!isOurs(meta)) return undefined;
  const keys = meta.primaryKeys.map((key): unknown => Reflect.get(data, key));
  if (!keys.every((key) => typeof key === 'string')) return undefined;
  const found: object | undefined = em
    .getUnitOfWork(false)
    .getById(meta.class, keys.length === 1 ? keys[0] : keys);
  if (!found) return undefined;
  const { __initialized, __managed, __originalEntityData } = wrap(found, true);
  return __initialized && __managed && __originalEntityData ? found : undefined;
}

/** What of an entity was changed and not flushed. */
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
      const { owner, name } = placeOf(meta, entity, key);
      return { owner, name, value: Reflect.get(owner, name) };
    });
  }

  get any(): boolean {
    return this.#kept.length > 0;
  }

  putBack(): void {
    const wrapped = wrap(this.#entity, true);
    // The row may have been read in part.
    const { __originalEntityData: read } = wrapped;
    Object.assign(wrapped, { __originalEntityData: { ...this.#snapshot, ...read } });
    for (const { owner, name, value } of this.#kept) Reflect.set(owner, name, value);
  }
}

/** Where the value is that the ORM compares by this key: in the entity, or in an object inside it. */
function placeOf(meta: EntityMetadata, entity: object, key: string): { owner: object; name: string } {
  const [parent, name] = meta.props.find((prop) => prop.name === key)?.embedded ?? [];
  const owner: unknown = parent === undefined ? undefined : Reflect.get(entity, parent);
  return typeof owner === 'object' && owner !== null && name !== undefined
    ? { owner, name }
    : { owner: entity, name: key };
}

/** The version of a row that is loaded, and of the same row as it is read now. */
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

  settle(isChanged: boolean): void {
    if (this.#property === undefined || typeof this.#had !== 'number' || typeof this.#read !== 'number')
      return;
    const own = versionIncrementsSince(this.#entity);
    if (isChanged && this.#read - this.#had > own.count) Reflect.set(this.#entity, this.#property, this.#had);
    else own.reset();
  }
}
