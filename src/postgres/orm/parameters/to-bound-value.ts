import { isDate } from 'node:util/types';
import { JsonProperty, Utils, type Platform } from '@mikro-orm/core';
import { documentText } from '../../../json/document-text.ts';

/** A value that is sent as a parameter. */
export interface BoundValue {
  readonly value: string | null;
  /** The type that a literal of the value has; undefined for one whose type PostgreSQL infers, such as a text. */
  readonly type?: 'bool' | 'int4' | 'int8' | 'numeric';
}

const int4 = 2 ** 31;
const int8 = 2n ** 63n;

/**
 * Returns the parameter that PostgreSQL reads as it reads the ORM's literal of `value`; null for a value that only the ORM can write: a class
 * that is unknown here, a number that is not finite, undefined.
 *
 * A number has a type, as its literal has: PostgreSQL would refuse `1.5` as a parameter that it compares with an integer column.
 *
 * @throws InvalidJsonError for a document that can't be stored unchanged.
 */
export function toBoundValue(value: unknown, platform: Platform): BoundValue | null {
  switch (typeof value) {
    case 'string':
      return { value };
    case 'bigint':
      return { value: String(value) };
    case 'boolean':
      return { value: String(value), type: 'bool' };
    case 'number':
      return Number.isFinite(value) ? { value: String(value), type: numberType(value) } : null;
    case 'object':
      return objectValue(value, platform);
    case 'function':
    case 'symbol':
    case 'undefined':
    default:
      return null;
  }
}

function objectValue(value: object | null, platform: Platform): BoundValue | null {
  if (value === null) return { value };
  if (isDate(value)) return { value: unquoted(platform.quoteValue(value)) };
  if (Buffer.isBuffer(value)) return { value: String.raw`\x${value.toString('hex')}` };
  if (Utils.isPlainObject(value)) return { value: documentText('a value of the statement', value) };
  return JsonProperty in value ? { value: JSON.stringify(value) } : null;
}

function unquoted(literal: string): string {
  return literal.slice(1, -1);
}

/** Returns the type that PostgreSQL gives the digits of a number. */
function numberType(value: number): 'int4' | 'int8' | 'numeric' {
  if (!Number.isInteger(value)) return 'numeric';
  if (value >= -int4 && value < int4) return 'int4';
  const digits = String(value);
  if (digits.includes('e')) return 'numeric';
  const exact = BigInt(digits);
  return exact >= -int8 && exact < int8 ? 'int8' : 'numeric';
}
