import { isDate } from 'node:util/types';
import type { BinaryType, CopiedValue } from '../../postgres/copy/binary-rows.ts';
import { copiedValues } from '../copied-values.ts';
import { jsonText } from '../json-text.ts';
import { isRawJSON } from '../../json/raw-json.ts';
import { UnfitValue } from '../unfit-value.ts';

// What spreadsheets show, and export, for an empty cell.
const blanks = new Set(['', '(空白)', '(blank)']);

/** Text without white space around it; null for none, and for blank text where that is skipped. Anything else as it is. */
export function tidied(value: unknown, skipBlank: boolean): unknown {
  if (value == null) return null;
  if (typeof value !== 'string') return value;
  const text = value.trim();
  return skipBlank && blanks.has(text) ? null : text;
}

/** What a column of `type` is given of a tidied value that is not null. Files know text alone, so text is read as what it says. */
export function valueFor(type: BinaryType, value: unknown): CopiedValue {
  if (type === 'text') return copiedValues.text(asText(value));
  if (typeof value !== 'string')
    return copiedValues[type](type !== 'jsonb' && isRawJSON(value) ? Number(asText(value)) : value);
  if (type === 'jsonb') return copiedValues.jsonb(parsed(value));
  if (type === 'timestamptz') return copiedValues.timestamptz(value);
  return copiedValues[type](decimal.test(value) ? Number(value) : value);
}

/** A tidied value that is not null as text. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  // What stands for a lack of one in other systems must not become a parent's key.
  if (typeof value === 'number' && !Number.isFinite(value)) throw new UnfitValue('is no finite number');
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value);
  return isDate(value) && !Number.isNaN(value.getTime()) ? value.toISOString() : jsonText(value);
}

/** A tidied value as the decimal number by which it is ordered; null when it is none. */
export function orderNumber(value: unknown): string | null {
  const isNumber = Number.isFinite(value) || typeof value === 'bigint' || isRawJSON(value);
  const text = isNumber ? asText(value) : value;
  return typeof text === 'string' && decimal.test(text) ? text : null;
}

/** A tidied value as the time by which it is ordered; null when it is none. */
export function orderTime(value: unknown): CopiedValue {
  if (typeof value !== 'string' && !isDate(value)) return null;
  try {
    return copiedValues.timestamptz(value);
  } catch (error) {
    if (error instanceof UnfitValue) return null;
    throw error;
  }
}

// Bounded, so that PostgreSQL's `numeric` holds it.
const decimal = /^[-+]?(?:\d{1,1000}(?:\.\d{0,1000})?|\.\d{1,1000})(?:[eE][-+]?\d{1,3})?$/;

/** The JSON that text in a column of documents is. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnfitValue('is no JSON', { cause });
  }
}
