import { isDate } from 'node:util/types';
import type { BinaryType, CopiedValue } from '../../postgres/copy/binary-rows.ts';
import { copyEncoders } from '../load/copy-encoders.ts';
import { encodeJson } from '../load/encode-json.ts';
import { parseExactJson } from '../../json/exact-json.ts';
import { isRawJSON } from '../../json/raw-json.ts';
import { ConversionError } from '../load/conversion-error.ts';

// What spreadsheets export for an empty cell; also in full-width characters, and in capitals.
const blanks = new Set(['', '(空白)', '(blank)']);

/**
 * Returns text without surrounding white space, other values unchanged; null for null, undefined and, with `skipBlank`, blank text.
 */
export function normalizeFact(value: unknown, skipBlank: boolean): unknown {
  if (value == null) return null;
  if (typeof value !== 'string') return value;
  const text = value.trim();
  return skipBlank && blanks.has(text.normalize('NFKC').toLowerCase()) ? null : text;
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

/** Text that is a decimal number. Bounded, so that PostgreSQL's `numeric` holds it. */
export const decimal = /^[-+]?(?:\d{1,1000}(?:\.\d{0,1000})?|\.\d{1,1000})(?:[eE][-+]?\d{1,3})?$/;

/**
 * Parses text for a column of documents, without losing digits of its numbers.
 *
 * @throws ConversionError when it is not JSON.
 */
export function parseJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (cause) {
    throw new ConversionError('is not valid JSON', { cause });
  }
}
