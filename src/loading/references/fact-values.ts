import { isDate } from 'node:util/types';
import type { BinaryType, CopiedValue } from '../../postgres/copy/binary-rows.ts';
import { copyEncoders } from '../load/copy-encoders.ts';
import { encodeJson } from '../load/encode-json.ts';
import { isRawJSON } from '../../json/raw-json.ts';
import { ConversionError } from '../load/conversion-error.ts';

// What spreadsheets export for an empty cell.
const blanks = new Set(['', '(空白)', '(blank)']);

/**
 * Returns text without surrounding white space, other values unchanged; null for null, undefined and, with `skipBlank`, blank text.
 */
export function normalizeFact(value: unknown, skipBlank: boolean): unknown {
  if (value == null) return null;
  if (typeof value !== 'string') return value;
  const text = value.trim();
  return skipBlank && blanks.has(text) ? null : text;
}

/**
 * Encodes a normalized, non-null value for COPY into a column of `type`. Text is parsed, since files hold text only.
 *
 * @throws ConversionError
 */
export function encodeFact(type: BinaryType, value: unknown): CopiedValue {
  if (type === 'text') return copyEncoders.text(factToText(value));
  if (typeof value !== 'string')
    return copyEncoders[type](type !== 'jsonb' && isRawJSON(value) ? Number(factToText(value)) : value);
  if (type === 'jsonb') return copyEncoders.jsonb(parseJson(value));
  if (type === 'timestamptz') return copyEncoders.timestamptz(value);
  return copyEncoders[type](decimal.test(value) ? Number(value) : value);
}

/**
 * Returns a normalized, non-null value as text.
 *
 * @throws ConversionError
 */
export function factToText(value: unknown): string {
  if (typeof value === 'string') return value;
  // Other systems export NaN for a missing value, which must not become a parent's key.
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new ConversionError('is not a finite number');
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value);
  return isDate(value) && !Number.isNaN(value.getTime()) ? value.toISOString() : encodeJson(value);
}

/** Returns the decimal number that orders a normalized value; null when it is not a number. */
export function toOrderNumber(value: unknown): string | null {
  const isNumber = Number.isFinite(value) || typeof value === 'bigint' || isRawJSON(value);
  const text = isNumber ? factToText(value) : value;
  return typeof text === 'string' && decimal.test(text) ? text : null;
}

/** Returns the time that orders a normalized value; null when it is not a time. */
export function toOrderTime(value: unknown): CopiedValue {
  if (typeof value !== 'string' && !isDate(value)) return null;
  try {
    return copyEncoders.timestamptz(value);
  } catch (error) {
    if (error instanceof ConversionError) return null;
    throw error;
  }
}

// Bounded, so that PostgreSQL's `numeric` holds it.
const decimal = /^[-+]?(?:\d{1,1000}(?:\.\d{0,1000})?|\.\d{1,1000})(?:[eE][-+]?\d{1,3})?$/;

/**
 * Parses text for a column of documents.
 *
 * @throws ConversionError when it is not JSON.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConversionError('is not valid JSON', { cause });
  }
}
