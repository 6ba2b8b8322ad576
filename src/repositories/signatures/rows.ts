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
  mismatch,
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

/** Returns the signatures of the methods that every repository of an entity has. */
export function rowMethods<E extends object>(entity: EntityClass<E>): RowMethods<E> {
  return {
    find: reads({ key: primaryKey(entity) }),
    get: reads({ key: primaryKey(entity) }),
    add: synchronous(stages({ data: newRow(entity) })),
    remove: synchronous(stages({ entity: rowOf(entity) })),
  };
}

/**
 * Returns the check of the data of a new row, by the columns of its entity. A parent is given by its key or as an entity. Required columns
 * that are absent are left to the ORM, which knows the defaults.
 */
export function newRow<E extends object, Data = RequiredEntityData<E>>(entity: EntityClass<E>): Check<Data> {
  const columns = new Map(columnsOf(entity).map((column) => [column.name, column.check]));
  return accepting({ kind: 'document' }, (value) => {
    if (!isPlain(value)) return mismatch('an object', value);
    return problemIn(value, columns) ?? onlyUnknownIn(value, columns);
  });
}

/** Returns the check of an instance of the entity, with a valid key. */
function rowOf<E extends object>(entity: EntityClass<E>): Check<E> {
  const keys = new Map(keysOf(entity).map((column) => [column.name, column.check]));
  return (value) =>
    value instanceof entity ? problemIn(value, keys) : mismatch(`an instance of ${entity.name}`, value);
}

/** Returns the check of the key of a row: a text, or an array of texts for a composite key. */
function primaryKey<E extends object>(entity: EntityClass<E>): Check<Primary<E>> {
  const { length } = keysOf(entity);
  const keys = arrayOf(Key);
  const single: AnyCheck = Key;
  if (length === 1) return single;
  return accepting({ kind: 'list', items: keysOf(entity).map(() => Key) }, (value) =>
    Array.isArray(value) && value.length !== length ? mismatch(`${length} keys`, value) : keys(value),
  );
}

/** A declared column, and the check of its value in a new row. */
interface Column {
  readonly name: string;
  readonly primary: boolean;
  readonly check: AnyCheck;
}

function keysOf(entity: EntityClass<object>): Column[] {
  return columnsOf(entity).filter(({ primary }) => primary);
}

const knownColumns = new Map<EntityClass<object>, readonly Column[]>();

function columnsOf(entity: EntityClass<object>): readonly Column[] {
  let columns = knownColumns.get(entity);
  if (!columns) knownColumns.set(entity, (columns = declaredColumns(entity)));
  return columns;
}

function declaredColumns(entity: EntityClass<object>): Column[] {
  // Discovery changes copies, one for each ORM: the registry holds the declaration.
  const schema = EntitySchema.REGISTRY.get(entity);
  if (!schema) throw new Error(`${entity.name} is not an entity`);
  return Object.entries<EntityProperty>(schema.meta.properties).map(([name, property]) => {
    const check = checkFor(property);
    if (!check) throw new Error(`${entity.name}.${name}: checksByType lacks its type`);
    // The ORM replaces null by the default where a column has one.
    const nullable = property.nullable || property.onCreate || property.default !== undefined;
    return {
      name,
      primary: property.primary === true,
      check: (value) =>
        value === undefined || (value === null && nullable) || isRaw(value) ? undefined : check(value),
    };
  });
}

// The type of the column also accepts a text in ISO 8601.
const time: AnyCheck = (value) => {
  if (typeof value !== 'string') return Instant(value);
  return typeof readInstant(value) === 'string'
    ? mismatch('a Date, or a time in ISO 8601 with a zone', value)
    : undefined;
};

const flag: AnyCheck = (value) => (typeof value === 'boolean' ? undefined : mismatch('a boolean', value));

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

/** Returns the check of a parent: its key, or an instance of its entity, loaded or not. */
function parent(entity: () => EntityName): AnyCheck {
  let asRow: AnyCheck | undefined;
  return (value) => {
    if (typeof value === 'string') return Key(value);
    const target = entity();
    const row: unknown = Reference.isReference(value) ? value.unwrap() : value;
    if (typeof target !== 'function' || !(row instanceof target))
      return mismatch('a key or an entity', value);
    // On first use: entities may reference each other, or themselves, before all of them are declared.
    asRow ??= rowOf(target);
    return asRow(row);
  };
}
