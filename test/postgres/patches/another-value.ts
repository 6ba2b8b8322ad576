import { isDate } from 'node:util/types';
import { JsonType, type EntityProperty } from '@mikro-orm/core';
import { InstantType } from '../../../src/wire/instant-type.ts';

/** Another value of the property's type. */
export function another({ customType, items, runtimeType }: EntityProperty, value: unknown): unknown {
  if (items) return items.find((item) => item !== value);
  if (customType instanceof JsonType)
    return Array.isArray(value) ? [...value, 'more'] : Object.assign({}, value, { more: 1 });
  if (customType instanceof InstantType) return new Date(isDate(value) ? value.getTime() + 1 : 0);
  if (typeof value === 'boolean') return !value;
  if (runtimeType === 'string') return typeof value === 'string' ? `${value}more` : 'more';
  return Number(value ?? 0) + 1;
}
