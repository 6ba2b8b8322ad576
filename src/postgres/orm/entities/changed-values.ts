import { isDate } from 'node:util/types';
import {
  IntegerType,
  JsonType,
  ReferenceKind,
  Reference,
  wrap,
  type EntityMetadata,
  type EntityProperty,
} from '@mikro-orm/core';
import { comparableText } from '../../../json/document-text.ts';
import { ExactDoubleType } from '../../../wire/double-type.ts';
import { InstantType } from '../../../wire/instant-type.ts';
import { textOfDate } from '../../../wire/instant.ts';
import { isOurs } from './our-entities.ts';

/** The values of an entity by the names of properties, in the form of the ORM's snapshots. */
export type StoredValues = Record<string, unknown>;

/** Returns all values of an entity when one is not as in its snapshot; otherwise null. */
type Comparison = (entity: object, snapshot: object) => StoredValues | null;

/** Returns the stored form of a value. A value that can't be stored keeps its form, and so is not as in a snapshot. */
type ToStored = (value: unknown) => unknown;

const comparisons = new WeakMap<EntityMetadata, Comparison | null>();

/** Returns whether an entity of ours is as it was loaded. May say no where the ORM finds no change, never the other way. */
export function isUnchanged(entity: object): boolean {
  const { __meta: meta, __originalEntityData: snapshot, __initialized } = wrap(entity, true);
  if (!snapshot) return false;
  const comparison = comparisonOf(meta);
  if (!comparison) return false;
  if (__initialized) return comparison(entity, snapshot) === null;
  // Of what was not loaded, nothing is set but the key.
  return meta.comparableProps.every(
    ({ name, primary }) => primary || Reflect.get(entity, name) === undefined,
  );
}

/**
 * Returns the values of a loaded entity of ours in the form of a snapshot; null when it is as it was loaded, undefined when only the ORM can
 * compare it.
 */
export function changedValues(entity: object): StoredValues | null | undefined {
  const { __meta: meta, __originalEntityData: snapshot, __initialized } = wrap(entity, true);
  if (!__initialized) return isUnchanged(entity) ? null : undefined;
  return snapshot && comparisonOf(meta)?.(entity, snapshot);
}

/** How to compare entities of a table; null where only the ORM can. */
function comparisonOf(meta: EntityMetadata): Comparison | null {
  let comparison = comparisons.get(meta);
  if (comparison === undefined) comparisons.set(meta, (comparison = isOurs(meta) ? compile(meta) : null));
  return comparison;
}

/** Returns a comparison with the properties by name, as the ORM compiles its own: a loop over them takes three times as long. */
function compile(meta: EntityMetadata): Comparison | null {
  const reads: string[] = [];
  const tests: string[] = [];
  const values: string[] = [];
  const given: ToStored[] = [];
  for (const [index, prop] of meta.comparableProps.entries()) {
    const toStored = toStoredOf(prop);
    if (toStored === null) return null;
    const name = JSON.stringify(prop.name);
    const value = `entity[${name}]`;
    reads.push(`const value${index} = ${toStored ? `given[${given.push(toStored) - 1}](${value})` : value};`);
    if (!prop.primary) tests.push(`Object.is(value${index}, snapshot[${name}])`);
    values.push(`${name}: value${index}`);
  }
  const text = `return (entity, snapshot) => {
    ${reads.join('\n')}
    return ${tests.join(' && ') || true} ? null : { ${values.join(', ')} };
  }`;
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion -- the text above, of names of properties
  return new Function('given', text)(given) as Comparison;
}

/** Returns how a property's values are stored; undefined for unchanged, null where only the ORM can convert them. */
function toStoredOf({ kind, customType, runtimeType }: EntityProperty): ToStored | undefined | null {
  if (kind === ReferenceKind.MANY_TO_ONE || kind === ReferenceKind.ONE_TO_ONE)
    return (value) => (isObject(value) ? keyOf(value) : value);
  if (kind !== ReferenceKind.SCALAR) return null;
  if (customType instanceof JsonType) return (value) => (value == null ? value : comparableText(value));
  if (customType instanceof InstantType) return (value) => (isDate(value) ? textOfValid(value) : value);
  const isPlain = !customType || customType instanceof ExactDoubleType || customType instanceof IntegerType;
  const compared = customType ? customType.compareAsType() : runtimeType;
  return isPlain && ['boolean', 'number', 'string'].includes(compared) ? undefined : null;
}

function keyOf(reference: object): unknown {
  const entity = Reference.unwrapReference<object>(reference);
  return wrap(entity, true).getPrimaryKey();
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function textOfValid(date: Date): string | Date {
  return Number.isNaN(date.getTime()) ? date : textOfDate(date);
}
