import { ReferenceKind, wrap, type EntityMetadata, type EntityProperty } from '@mikro-orm/core';

/**
 * Moves an entity's values into the ORM's `__data`, behind accessors of the entity, where assignments can be watched. The ORM does so for
 * every entity, with the option `propagationOnPrototype`. Here it is done for those that are loaded when an inner unit of work begins.
 */
export function trackAssignments(entity: object): void {
  const { __meta: meta, __data: data } = wrap(entity, true);
  for (const { name, found, missing } of accessorsOf(meta)) {
    const own = Object.getOwnPropertyDescriptor(entity, name);
    // The ORM has defined others: for this entity, or for all of its class.
    if (own ? !('value' in own) : name in entity) continue;
    if (own) Reflect.set(data, name, own.value);
    Object.defineProperty(entity, name, own ? found : missing);
  }
}

interface Accessors {
  readonly name: string;
  readonly found: PropertyDescriptor;
  /** For a property that the entity does not have. It is not enumerable before it is assigned. */
  readonly missing: PropertyDescriptor;
}

const accessors = new WeakMap<EntityMetadata, readonly Accessors[]>();

function accessorsOf(meta: EntityMetadata): readonly Accessors[] {
  let known = accessors.get(meta);
  if (!known)
    accessors.set(meta, (known = meta.props.filter(isTracked).map(({ name }) => defineAccessors(name))));
  return known;
}

function defineAccessors(name: string): Accessors {
  const get = function get(this: object): unknown {
    const { __data: data } = wrap(this, true);
    return Reflect.get(data, name);
  };
  const set = function set(this: object, value: unknown): void {
    const { __data: data } = wrap(this, true);
    Reflect.set(data, name, value);
  };
  const found: PropertyDescriptor = { get, set, enumerable: true, configurable: true };
  const missing: PropertyDescriptor = {
    get,
    set(this: object, value: unknown) {
      Object.defineProperty(this, name, found);
      set.call(this, value);
    },
    enumerable: false,
    configurable: true,
  };
  return { name, found, missing };
}

/** Whether the ORM would define accessors for a property. */
function isTracked({ kind, inherited, primary, accessor, persist, embedded }: EntityProperty): boolean {
  const isCollection = kind === ReferenceKind.ONE_TO_MANY || kind === ReferenceKind.MANY_TO_MANY;
  return !isCollection && !inherited && !primary && !accessor && persist !== false && !embedded;
}
