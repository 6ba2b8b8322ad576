import { EntitySchema, JsonType, TextType, type EntityClass, type EntityProperty } from '@mikro-orm/core';
import { types } from 'node:util';
import { InstantType } from '../../src/wire/instant-type.ts';

/**
 * Fields of plain rows that have the name of a column of the entity, or `<parent>Id`, but not a value that the column can hold: each as
 * `field: value`.
 */
export function misshapen(entity: EntityClass<object>, result: unknown): string[] {
  return rowsIn(result).flatMap((row) =>
    Object.entries(row).flatMap(([field, value]) => {
      const property = propertyOf(entity, field);
      return property && !holds(property, value) ? [`${field}: ${String(value)}`] : [];
    }),
  );
}

/** Fields of plain rows that no column of the entity has the name of. */
export function strangeFields(entity: EntityClass<object>, result: unknown): string[] {
  return rowsIn(result)
    .flatMap((row) => Object.keys(row))
    .filter((field) => propertyOf(entity, field) === undefined);
}

function propertyOf(entity: EntityClass<object>, field: string): EntityProperty | undefined {
  const { properties = {} } = EntitySchema.REGISTRY.get(entity)?.meta ?? {};
  return Reflect.get(properties, field) ?? Reflect.get(properties, field.replace(/Id$/, ''));
}

/** The objects of a result: itself, the items of a list, those of a page. */
function rowsIn(result: unknown): object[] {
  if (typeof result !== 'object' || result === null || types.isDate(result)) return [];
  if (Array.isArray(result) || result instanceof Set) return [...result].flatMap(rowsIn);
  if (result instanceof Map) return [...result.values()].flatMap(rowsIn);
  return 'data' in result && 'pagination' in result ? rowsIn(result.data) : [result];
}

function holds(
  { nullable, type, enum: isEnum, items = [], entity }: EntityProperty,
  value: unknown,
): boolean {
  if (value === null) return nullable === true;
  if (entity !== undefined) return typeof value === 'string';
  if (isEnum) return items.includes(Object(value).valueOf());
  const declared: unknown = type;
  const is = (Type: { readonly prototype: object }): boolean =>
    declared === Type || (typeof declared === 'function' && declared.prototype instanceof Object(Type));
  if (is(InstantType)) return types.isDate(value) && !Number.isNaN(value.getTime());
  if (is(JsonType)) return typeof value === 'object';
  if (is(TextType)) return typeof value === 'string';
  return typeof value === 'boolean' || Number.isFinite(value);
}
