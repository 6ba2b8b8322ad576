import { isUint8Array } from 'node:util/types';
import { canonicalJson, NotJsonError, type JsonFinding } from './canonical-json.ts';
import { UnreadableText, type SourceValue } from '../source/legacy-source.ts';
import type { ColumnType, TargetColumn } from '../destination/target-table.ts';
import type { ImportRemedy } from './import-finding.ts';
import { readTimestamp, type TimeForm, type TimestampOptions } from './read-timestamp.ts';

/** A value of a row, converted for PostgreSQL. */
export interface Cell {
  /** The text for COPY, unescaped; null for NULL. */
  readonly text: string | null;
  /** The text that is hashed into the digest of the row; null for NULL. */
  readonly canonical: string | null;
  /** The text that CHECK constraints are evaluated on; null for NULL. */
  readonly checked: string | null;
  readonly json:
    | { readonly invalid: readonly JsonFinding[]; readonly repeated: readonly JsonFinding[] }
    | undefined;
  /** Whether it is a JSON `null` document. */
  readonly jsonNull: boolean;
  /** How a time was written; undefined for other values. */
  readonly timeForm: TimeForm | undefined;
}

/** A value can't be stored. The message is a predicate whose subject is the column ("is a blob"), and never contains the value. */
export class CellError extends Error {
  readonly remedy: ImportRemedy | null;

  constructor(message: string, remedy: ImportRemedy | null = null) {
    super(message);
    this.remedy = remedy;
  }
}

const nothing: Cell = {
  text: null,
  canonical: null,
  checked: null,
  json: undefined,
  jsonNull: false,
  timeForm: undefined,
};

/**
 * Converts a value of the source for a column.
 *
 * @throws CellError when the column can't hold it.
 */
export function toCell(value: SourceValue, { type }: TargetColumn, options: TimestampOptions): Cell {
  if (value === null) return nothing;
  if (value instanceof UnreadableText) throw new CellError(value.problem);
  if (isUint8Array(value)) throw new CellError('is a blob');
  return converters[type](value, options);
}

type Converter = (value: string | bigint | number, options: TimestampOptions) => Cell;

const converters: Record<ColumnType, Converter> = {
  text: (value) => plain(asText(value)),
  integer: (value) => plain(asInteger(value)),
  double: asDouble,
  time: asTime,
  json: (value) => asJson(String(value)),
};

/** Returns a cell whose text stands for it in every place. */
export function plain(text: string, timeForm?: TimeForm): Cell {
  return { text, canonical: text, checked: text, json: undefined, jsonNull: false, timeForm };
}

function asText(value: string | bigint | number): string {
  const text = String(value);
  if (text.includes('\0')) throw new CellError("has U+0000, which PostgreSQL can't store");
  return text;
}

function asInteger(value: string | bigint | number): string {
  const whole =
    typeof value === 'bigint'
      ? value
      : Number.isInteger(value) || /^-?\d+$/.test(String(value))
        ? BigInt(value)
        : null;
  if (whole === null) throw new CellError('is not an integer');
  if (whole < -(2n ** 31n) || whole >= 2n ** 31n)
    throw new CellError('is outside the range of an integer column (-2147483648 to 2147483647)');
  return String(whole);
}

function asTime(value: string | bigint | number, options: TimestampOptions): Cell {
  const reading = readTimestamp(String(value), options);
  if ('problem' in reading) throw new CellError(reading.problem, reading.remedy);
  return plain(reading.text, reading.form);
}

const bits = Buffer.alloc(8);
const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

function asDouble(value: string | bigint | number): Cell {
  const number = Number(value);
  if (typeof value === 'string' && !decimal.test(value) && !/^(?:NaN|-?Infinity)$/.test(value))
    throw new CellError('is not a number');
  if (typeof value === 'bigint' && (!Number.isFinite(number) || BigInt(number) !== value))
    throw new CellError('has more digits than a double precision column can hold');
  bits.writeDoubleBE(number);
  const text = Object.is(number, -0) ? '-0' : String(number);
  return { ...plain(text), canonical: bits.toString('hex') };
}

function asJson(source: string): Cell {
  try {
    const { text, kind, ...json } = canonicalJson(source);
    if (kind === 'null' && json.invalid.length === 0) return { ...nothing, jsonNull: true };
    return { ...plain(text), checked: kind, json };
  } catch (error) {
    if (error instanceof NotJsonError)
      throw new CellError(`is not valid JSON: ${error.path} ${error.message}`);
    throw error;
  }
}
