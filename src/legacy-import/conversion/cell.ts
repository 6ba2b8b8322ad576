import { isUint8Array } from 'node:util/types';
import { canonicalJson, NotJsonError, type JsonFinding } from './canonical-json.ts';
import { UnreadableText, type SourceValue } from '../source/legacy-source.ts';
import type { ColumnType, TargetColumn } from '../target/target-table.ts';
import { readTimestamp } from './timestamp.ts';
import type { SourceTimeZone } from './source-time-zone.ts';

/** A value as it is sent to PostgreSQL. */
export interface Cell {
  /** As COPY takes it, before its escapes; null for NULL. */
  readonly text: string | null;
  /** As it goes into the digest of its row; null for NULL. */
  readonly canonical: string | null;
  /** What the CHECKs are held against. */
  readonly checked: string | null;
  readonly json:
    | { readonly invalid: readonly JsonFinding[]; readonly repeated: readonly JsonFinding[] }
    | undefined;
  /** Whether a document was there and was nothing but `null`. */
  readonly jsonNull: boolean;
}

export interface CellOptions {
  readonly zone: SourceTimeZone | undefined;
  readonly filledBySource: boolean;
}

/** Why a value can't be stored; a sentence without its subject, which is the column. */
export class CellError extends Error {}

const nothing: Cell = { text: null, canonical: null, checked: null, json: undefined, jsonNull: false };

/** @throws CellError */
export function toCell(value: SourceValue, { type }: TargetColumn, options: CellOptions): Cell {
  if (value === null) return nothing;
  if (value instanceof UnreadableText) throw new CellError(value.problem);
  if (isUint8Array(value)) throw new CellError('is a blob');
  return converters[type](value, options);
}

type Converter = (value: string | bigint | number, options: CellOptions) => Cell;

const converters: Record<ColumnType, Converter> = {
  text: (value) => plain(asText(value)),
  integer: (value) => plain(asInteger(value)),
  double: asDouble,
  time: (value, options) => plain(asTime(value, options)),
  json: (value) => asJson(String(value)),
};

function plain(text: string): Cell {
  return { text, canonical: text, checked: text, json: undefined, jsonNull: false };
}

function asText(value: string | bigint | number): string {
  const text = String(value);
  if (text.includes('\0')) throw new CellError('holds U+0000, which PostgreSQL can not store');
  return text;
}

function asInteger(value: string | bigint | number): string {
  const whole =
    typeof value === 'bigint'
      ? value
      : Number.isInteger(value) || /^-?\d+$/.test(String(value))
        ? BigInt(value)
        : null;
  if (whole === null) throw new CellError('is no whole number');
  if (whole < -(2n ** 31n) || whole >= 2n ** 31n)
    throw new CellError('is beyond what an integer column holds');
  return String(whole);
}

function asTime(value: string | bigint | number, options: CellOptions): string {
  const reading = readTimestamp(String(value), options);
  if ('problem' in reading) throw new CellError(reading.problem);
  return reading.text;
}

const bits = Buffer.alloc(8);
const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

function asDouble(value: string | bigint | number): Cell {
  const number = Number(value);
  if (typeof value === 'string' && !decimal.test(value) && !/^(?:NaN|-?Infinity)$/.test(value))
    throw new CellError('is no number');
  if (typeof value === 'bigint' && (!Number.isFinite(number) || BigInt(number) !== value))
    throw new CellError('has more digits than a double precision column holds');
  bits.writeDoubleBE(number);
  const text = Object.is(number, -0) ? '-0' : String(number);
  return { text, canonical: bits.toString('hex'), checked: text, json: undefined, jsonNull: false };
}

function asJson(source: string): Cell {
  try {
    const { text, kind, ...json } = canonicalJson(source);
    if (kind === 'null' && json.invalid.length === 0) return { ...nothing, jsonNull: true };
    return { text, canonical: text, checked: kind, json, jsonNull: false };
  } catch (error) {
    if (error instanceof NotJsonError) throw new CellError(`is no JSON: ${error.path} ${error.message}`);
    throw error;
  }
}
