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

type Comparison = readonly (readonly [property: string, isUnchanged: IsUnchanged])[];

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
  for (const [property, isSame] of comparison) {
    const value: unknown = Reflect.get(entity, property);
    // Of what was not loaded, nothing is set but the key.
    if (!__initialized ? value !== undefined : !isSame(value, Reflect.get(snapshot, property))) return false;
  }
  return true;
}

/** How to compare entities of a table; null where only the ORM can. */
function comparisonOf(meta: EntityMetadata): Comparison | null {
  let comparison = comparisons.get(meta);
  if (comparison === undefined) comparisons.set(meta, (comparison = isOurs(meta) ? compare(meta) : null));
  return comparison;
}

function compare(meta: EntityMetadata): Comparison | null {
  const comparison: (readonly [string, IsUnchanged])[] = [];
  for (const prop of meta.comparableProps) {
    if (prop.primary) continue;
    const isSame = comparisonOfProperty(prop);
    if (!isSame) return null;
    comparison.push([prop.name, isSame]);
  }
  return comparison;
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
