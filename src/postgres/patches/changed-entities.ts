import { isDate } from 'node:util/types';
import {
  JsonType,
  ReferenceKind,
  Reference,
  UnitOfWork,
  wrap,
  type EntityManager,
  type EntityMetadata,
  type EntityProperty,
} from '@mikro-orm/core';
import { comparableText } from '../../json/document-text.ts';
import { InstantType } from '../../wire/instant-type.ts';
import { textOfDate } from '../../wire/instant.ts';
import { isOurs } from '../orm/entities/our-entities.ts';

/** Whether a property holds what its entity's snapshot says. May say no where the ORM finds no change, never the other way. */
type IsUnchanged = (value: unknown, snapshot: unknown) => boolean;

/** Whether all properties of a loaded entity hold what its snapshot says. */
type Comparison = (entity: object, snapshot: object) => boolean;

const comparisons = new WeakMap<EntityMetadata, Comparison | null>();

/**
 * The ORM's unit of work, which looks for changes in those entities of ours only that are not as they were loaded. The ORM follows the
 * relations of every loaded entity and converts all of its values, which takes most of the time of a flush that changes few.
 */
export class ChangedEntities extends UnitOfWork {
  /** Makes the unit of work of `em` one. */
  static adopt(em: EntityManager): void {
    Object.setPrototypeOf(em.getUnitOfWork(false), ChangedEntities.prototype);
  }

  /** Whether something may have to be flushed. */
  get hasChanges(): boolean {
    if (this.getPersistStack().size + this.getRemoveStack().size > 0) return true;
    for (const entity of this.getIdentityMap()) if (!isUnchanged(entity)) return true;
    return false;
  }

  /** Removes an entity. Clears the references of loaded entities to it, also where the ORM, which looks for accessors, does not. */
  override unsetIdentity(entity: object): void {
    super.unsetIdentity(entity);
    const { __meta: removed } = wrap(entity, true);
    for (const { meta, prop } of removed.referencingProperties) {
      if (prop.primary) continue;
      for (const referrer of this.getIdentityMap().getStore(meta).values())
        if (Reference.unwrapReference<object>(Reflect.get(referrer, prop.name)) === entity)
          Reflect.set(referrer, prop.name, undefined);
    }
  }

  override computeChangeSets(): void {
    const loaded = this.getIdentityMap();
    if (hasFew(loaded)) return super.computeChangeSets();
    const entities = loaded[Symbol.iterator].bind(loaded);
    Object.defineProperty(loaded, Symbol.iterator, {
      configurable: true,
      *value() {
        for (const entity of entities()) if (!isUnchanged(entity)) yield entity;
      },
    });
    try {
      super.computeChangeSets();
    } finally {
      Reflect.deleteProperty(loaded, Symbol.iterator);
    }
  }
}

/** Returns whether the ORM compares the entities sooner than they could be left out. */
function hasFew(entities: Iterable<object>): boolean {
  let count = 0;
  for (const _ of entities) if (++count > 10) return false;
  return true;
}

function isUnchanged(entity: object): boolean {
  const { __meta: meta, __originalEntityData: snapshot, __initialized } = wrap(entity, true);
  if (!snapshot) return false;
  const comparison = comparisonOf(meta);
  if (!comparison) return false;
  if (__initialized) return comparison(entity, snapshot);
  // Of what was not loaded, nothing is set but the key.
  return meta.comparableProps.every(
    ({ name, primary }) => primary || Reflect.get(entity, name) === undefined,
  );
}

/** How to compare entities of a table; null where only the ORM can. */
function comparisonOf(meta: EntityMetadata): Comparison | null {
  let comparison = comparisons.get(meta);
  if (comparison === undefined) comparisons.set(meta, (comparison = isOurs(meta) ? compile(meta) : null));
  return comparison;
}

/** Returns a comparison with the properties by name, as the ORM compiles its own: a loop over them takes three times as long. */
function compile(meta: EntityMetadata): Comparison | null {
  const tests: string[] = [];
  const compared: IsUnchanged[] = [];
  for (const prop of meta.comparableProps) {
    if (prop.primary) continue;
    const isSame = comparisonOfProperty(prop);
    if (!isSame) return null;
    const name = JSON.stringify(prop.name);
    const test = isSame === Object.is ? 'Object.is' : `compared[${compared.push(isSame) - 1}]`;
    tests.push(`${test}(entity[${name}], snapshot[${name}])`);
  }
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion -- the text above, of names of properties
  return new Function('compared', `return (entity, snapshot) => ${tests.join(' && ') || true}`)(
    compared,
  ) as Comparison;
}

function comparisonOfProperty({ kind, customType, runtimeType }: EntityProperty): IsUnchanged | null {
  if (kind === ReferenceKind.MANY_TO_ONE || kind === ReferenceKind.ONE_TO_ONE) {
    return (value, key) => (isObject(value) ? keyOf(value) === key : value === key);
  }
  if (kind !== ReferenceKind.SCALAR) return null;
  if (customType instanceof JsonType)
    return (value, text) => (value == null ? value === text : comparableText(value) === text);
  if (customType instanceof InstantType)
    return (value, text) => value === text || (isDate(value) && textOfValid(value) === text);
  const compared = customType ? customType.compareAsType() : runtimeType;
  return ['boolean', 'number', 'string'].includes(compared) ? Object.is : null;
}

function keyOf(reference: object): unknown {
  const entity = Reference.unwrapReference<object>(reference);
  return wrap(entity, true).getPrimaryKey();
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function textOfValid(date: Date): string | undefined {
  return Number.isNaN(date.getTime()) ? undefined : textOfDate(date);
}
