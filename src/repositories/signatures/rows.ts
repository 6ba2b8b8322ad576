import {
  BooleanType,
  DoubleType,
  EntitySchema,
  IntegerType,
  isRaw,
  JsonType,
  Reference,
  TextType,
  type EntityClass,
  type EntityName,
  type EntityProperty,
  type Primary,
  type RequiredEntityData,
} from '@mikro-orm/core';
import { InstantType } from '../../wire/instant-type.ts';
import { readInstant } from '../../wire/instant.ts';
import {
  accepting,
  FiniteNumber,
  Instant,
  Integer,
  isNot,
  Key,
  oneOf,
  Text,
  type AnyCheck,
  type Check,
} from './check.ts';
import { arrayOf, document, isPlain, problemIn, onlyUnknownIn } from './containers.ts';
import { reads, stages, synchronous, type Signature } from './effects.ts';

interface RowMethods<E extends object> {
  readonly find: Signature<readonly [{ readonly key: Check<Primary<E>> }], 'reads', false>;
  readonly get: Signature<readonly [{ readonly key: Check<Primary<E>> }], 'reads', false>;
  readonly add: Signature<readonly [{ readonly data: Check<RequiredEntityData<E>> }], 'stages', true>;
  readonly remove: Signature<readonly [{ readonly entity: Check<E> }], 'stages', true>;
}

/** What every repository of an entity can do. */
export function rowMethods<E extends object>(entity: EntityClass<E>): RowMethods<E> {
  return {
    find: reads({ key: primaryKey(entity) }),
    get: reads({ key: primaryKey(entity) }),
    add: synchronous(stages({ data: newRow(entity) })),
    remove: synchronous(stages({ entity: rowOf(entity) })),
  };
}

/**
 * The data of a new row, by the columns of its entity. A parent is given by its key or as an entity. What is required and absent is
 * left to the ORM, which knows what it fills in.
 */
export function newRow<E extends object, Data = RequiredEntityData<E>>(entity: EntityClass<E>): Check<Data> {
  const columns = new Map(columnsOf(entity).map((column) => [column.name, column.check]));
  return accepting({ kind: 'document' }, (value) => {
    if (!isPlain(value)) return isNot('an object', value);
    return problemIn(value, columns) ?? onlyUnknownIn(value, columns);
  });
}

/** An instance of the entity, whose key is one. */
function rowOf<E extends object>(entity: EntityClass<E>): Check<E> {
  const keys = new Map(keysOf(entity).map((column) => [column.name, column.check]));
  return (value) =>
    value instanceof entity ? problemIn(value, keys) : isNot(`an instance of ${entity.name}`, value);
}

/** The key of a row: a text, or an array of one for each column that it is made of. */
function primaryKey<E extends object>(entity: EntityClass<E>): Check<Primary<E>> {
  const { length } = keysOf(entity);
  const keys = arrayOf(Key);
  const one: AnyCheck = Key;
  if (length === 1) return one;
  return accepting({ kind: 'list', items: keysOf(entity).map(() => Key) }, (value) =>
    Array.isArray(value) && value.length !== length ? isNot(`${length} keys`, value) : keys(value),
  );
}

/** A column as it is declared, and the check of what a new row may have in it. */
interface Column {
  readonly name: string;
  readonly primary: boolean;
  readonly check: AnyCheck;
}

function keysOf(entity: EntityClass<object>): Column[] {
  return columnsOf(entity).filter(({ primary }) => primary);
}

function columnsOf(entity: EntityClass<object>): Column[] {
  // Discovery works on copies, one for each ORM: what is declared stays here.
  const schema = EntitySchema.REGISTRY.get(entity);
  if (!schema) throw new Error(`${entity.name} is not an entity`);
  return Object.entries<EntityProperty>(schema.meta.properties).map(([name, property]) => {
    const check = checkFor(property);
    if (!check) throw new Error(`${entity.name}.${name}: checksByType lacks its type`);
    // The ORM takes null for absent where it has something to fill in.
    const nullable = property.nullable || property.onCreate || property.default !== undefined;
    return {
      name,
      primary: property.primary === true,
      check: (value) =>
        value === undefined || (value === null && nullable) || isRaw(value) ? undefined : check(value),
    };
  });
}

// The column's type takes a text in ISO 8601, too.
const time: AnyCheck = (value) => {
  if (typeof value !== 'string') return Instant(value);
  return typeof readInstant(value) === 'string'
    ? isNot('a Date, or a time in ISO 8601 with a zone', value)
    : undefined;
};

const flag: AnyCheck = (value) => (typeof value === 'boolean' ? undefined : isNot('a boolean', value));

const checksByType = [
  [JsonType, document()],
  [TextType, Text],
  [BooleanType, flag],
  [IntegerType, Integer],
  [DoubleType, FiniteNumber],
  [InstantType, time],
] as const;

function checkFor({ entity, enum: isEnum, items = [], type }: EntityProperty): AnyCheck | undefined {
  if (typeof entity === 'function') return parent(entity);
  if (isEnum) return oneOf(items.map(String));
  const declared: unknown = type;
  const found = checksByType.find(
    ([kind]) => declared === kind || (typeof declared === 'function' && declared.prototype instanceof kind),
  );
  return found?.[1];
}

/** A row that another belongs to: its key, or an instance of its entity, which need not be loaded. */
function parent(entity: () => EntityName): AnyCheck {
  let asRow: AnyCheck | undefined;
  return (value) => {
    if (typeof value === 'string') return Key(value);
    const target = entity();
    const row: unknown = Reference.isReference(value) ? value.unwrap() : value;
    if (typeof target !== 'function' || !(row instanceof target)) return isNot('a key or an entity', value);
    // Entities may point at each other, or at themselves: theirs are not all declared before.
    asRow ??= rowOf(target);
    return asRow(row);
  };
}
