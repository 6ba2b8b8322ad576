import { EntitySchema, Reference, type EntityMetadata } from '@mikro-orm/core';

type Values = Readonly<Record<string, unknown>>;

const remembered = new WeakMap<object, Values>();

/** The values of a row, of a parent its key, when it was first asked for: by those it is found, whatever was changed since. */
export function valuesOf(row: object): Values {
  const before = remembered.get(row);
  if (before) return before;
  const { properties = {} } = metaOf(row) ?? {};
  const values: Values = Object.fromEntries(
    Object.keys(properties).map((name) => [name, keyIn(Reflect.get(row, name))]),
  );
  remembered.set(row, values);
  return values;
}

/** The key of a row: its values where it consists of several columns. */
export function keyOf(row: object): unknown {
  const values = valuesOf(row);
  const key = Object.entries(metaOf(row)?.properties ?? {}).flatMap(([name, { primary }]) =>
    primary ? [values[name]] : [],
  );
  return key.length === 1 ? key[0] : key;
}

function keyIn(value: unknown): unknown {
  const parent: unknown = Reference.isReference(value) ? value.unwrap() : value;
  return typeof parent === 'object' && parent !== null && metaOf(parent) ? keyOf(parent) : parent;
}

function metaOf(row: object): EntityMetadata | undefined {
  return EntitySchema.REGISTRY.get(Object(row.constructor))?.meta;
}
