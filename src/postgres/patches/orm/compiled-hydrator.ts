import {
  Reference,
  ReferenceKind,
  type EntityClass,
  type EntityManager,
  type EntityMetadata,
  type EntityProperty,
} from '@mikro-orm/core';
import { isOurs } from '../../orm/entities/our-entities.ts';

/** Returns the managed entity of a row, by the names of properties; null for a row that only the ORM can hydrate. */
export type Hydrator = (row: object, em: EntityManager) => object | null;

const hydrators = new WeakMap<EntityMetadata, Hydrator | null>();

/**
 * Returns the hydrator of a table. For a row that is not loaded, it makes the entity that the ORM's factory would make, with the same values,
 * snapshot and state, in a fifth of its time. Returns null for a table that only the ORM can hydrate: one of a service, or with inheritance,
 * embedded objects, collections or relations in both directions.
 */
export function hydratorOf(meta: EntityMetadata, em: EntityManager): Hydrator | null {
  let hydrator = hydrators.get(meta);
  if (hydrator === undefined) hydrators.set(meta, (hydrator = makeHydrator(meta, em)));
  return hydrator;
}

function makeHydrator(meta: EntityMetadata, em: EntityManager): Hydrator | null {
  const { hydrateProps, primaryKeys } = meta;
  const keys = hydrateProps.filter(({ primary }) => primary);
  const isSupported =
    isOurs(meta) &&
    !meta.root.inheritanceType &&
    !meta.forceConstructor &&
    keys.length === primaryKeys.length &&
    hydrateProps.length === meta.props.length &&
    hydrateProps.every((prop) => isScalar(prop) || isForeignKey(prop));
  if (!isSupported) return null;
  // There are no accessors for relations in both directions. So the ORM need not look for them in each entity.
  Object.defineProperty(meta.prototype, '__gettersDefined', { value: true, configurable: true });
  // The ORM sets the key first.
  return compile(meta, [...keys, ...hydrateProps.filter(({ primary }) => !primary)], em);
}

function isScalar(prop: EntityProperty): boolean {
  const { kind, ref, embedded, getter, setter, persist, runtimeType, customType } = prop;
  const isPlain = !ref && !embedded && !getter && !setter && persist !== false;
  return kind === ReferenceKind.SCALAR && isPlain && (customType !== undefined || runtimeType !== 'Date');
}

function isForeignKey(prop: EntityProperty): boolean {
  const { kind, ref, customType, inversedBy, mappedBy, polymorphic, targetKey, mapToPk, fieldNames } = prop;
  const isToOne = kind === ReferenceKind.MANY_TO_ONE || kind === ReferenceKind.ONE_TO_ONE;
  const isSpecial = inversedBy ?? mappedBy ?? polymorphic ?? targetKey ?? mapToPk ?? customType;
  return isToOne && !isSpecial && ref === true && fieldNames.length === 1;
}

/** Makes a set of all properties, which the ORM adds to but never takes from, the same for all entities. A set for each takes 400 bytes. */
function shared(names: Set<string>): Set<string> {
  return Object.defineProperty(names, 'add', { value: () => names });
}

/** The text that hydrates a property. */
interface Lines {
  /** Ends the function for a value that only the ORM can hydrate. */
  readonly check: string;
  readonly value: string;
  readonly snapshot: string;
  /** Follows once the entity is in the identity map: its parent may be itself. */
  readonly late: string;
}

/** Returns a hydrator with the properties by name, as the ORM compiles its own. */
function compile(meta: EntityMetadata, props: readonly EntityProperty[], em: EntityManager): Hydrator {
  const lines = props.map((prop, index) => linesOf(meta, prop, index));
  const parameters = props.map((_, index) => `value${index}`).join(', ');
  const text = `
    function Entity(${parameters}) {
      ${props.map(({ name }, index) => `this[${JSON.stringify(name)}] = value${index};`).join('\n')}
    }
    Entity.prototype = prototype;
    return (row, em) => {
      ${lines.map(({ check }) => check).join('\n')}
      for (const name in row) if (!loaded.has(name)) return null;
      ${lines.map(({ value }) => value).join('\n')}
      const entity = new Entity(${parameters});
      const state = entity.__helper;
      state.__em = em;
      state.__managed = true;
      state.__schema = schema;
      state.__loadedProperties = loaded;
      state.__originalEntityData = { ${lines.map(({ snapshot }) => snapshot).join(', ')} };
      em.getUnitOfWork(false).getIdentityMap().store(entity);
      ${lines.map(({ late }) => late).join('\n')}
      return entity;
    }`;
  const context: Record<string, unknown> = {
    prototype: meta.prototype,
    schema: em.getDriver().getSchemaName(meta),
    loaded: shared(new Set(props.map(({ name }) => name))),
    platform: em.getPlatform(),
    context: { mode: 'serialization' },
    reference,
  };
  props.forEach(({ customType, targetMeta }, index) => {
    if (customType) context[`type${index}`] = customType;
    if (targetMeta) context[`target${index}`] = targetMeta.class;
  });
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion -- the text above, of names of properties
  return new Function(...Object.keys(context), text)(...Object.values(context)) as Hydrator;
}

function linesOf(meta: EntityMetadata, prop: EntityProperty, index: number): Lines {
  const { kind, customType, runtimeType, targetMeta } = prop;
  const name = JSON.stringify(prop.name);
  const [read, value] = [`read${index}`, `value${index}`];
  const check = `const ${read} = row[${name}]; if (${read} === undefined) return null;`;
  if (kind !== ReferenceKind.SCALAR) {
    const parent = `${read} === null ? null : reference(em, target${index}, ${read})`;
    const mayBeItself = targetMeta?.class === meta.class;
    return {
      check: `${check} if (${read} !== null && typeof ${read} !== 'string') return null;`,
      value: `const ${value} = ${mayBeItself ? 'null' : parent};`,
      snapshot: `${name}: ${read}`,
      late: mayBeItself ? `if (${read} !== null) entity[${name}] = ${parent};` : '',
    };
  }
  if (!customType) {
    const found = runtimeType === 'boolean' ? `${read} === null ? null : !!${read}` : read;
    return { check, value: `const ${value} = ${found};`, snapshot: `${name}: ${read}`, late: '' };
  }
  const isConverted = customType.ensureComparable(meta, prop);
  const call = (method: string, given: string): string =>
    `${read} === null ? null : type${index}.${method}(${given}, platform, context)`;
  return {
    check,
    value: `const ${value} = ${call('convertToJSValue', read)};`,
    snapshot: `${name}: ${isConverted ? call('convertToDatabaseValue', value) : read}`,
    late: '',
  };
}

function reference(em: EntityManager, target: EntityClass<object>, key: string): object {
  const loaded: object | undefined = em.getUnitOfWork(false).getById(target, key);
  return Reference.create(
    loaded ?? em.getEntityFactory().createReference(target, key, { merge: true, convertCustomTypes: true }),
  );
}
