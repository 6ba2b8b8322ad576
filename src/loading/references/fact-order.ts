import { isDate } from 'node:util/types';
import type { CopiedValue } from '../../postgres/copy/binary-rows.ts';
import { isRawJSON } from '../../json/raw-json.ts';
import { readInstant } from '../../wire/instant.ts';
import { copyEncoders } from '../load/copy-encoders.ts';
import { ConversionError } from '../load/conversion-error.ts';
import { decimal, factToText } from './fact-values.ts';

type TimeKind = 'a time with a time zone' | 'a date or a time without a time zone';

type Order =
  | { readonly number: string; readonly time: null }
  // Without a time zone, as if it were UTC.
  | { readonly number: null; readonly time: CopiedValue; readonly kind: TimeKind };

/**
 * Reads the values of a property that orders facts: numbers, times with a time zone, or dates and times without one. The last two can't be
 * compared, so that a property has one of them.
 */
export class FactOrder {
  #kind: TimeKind | null = null;

  /**
   * Returns the decimal number of a normalized, non-null value; null for a time.
   *
   * @throws ConversionError for a value that is neither, or a time that can't be compared with those before.
   */
  number(value: unknown): string | null {
    return this.#read(value).number;
  }

  /**
   * Returns the time of a normalized, non-null value; null for a number.
   *
   * @throws ConversionError as `number`.
   */
  time(value: unknown): CopiedValue {
    return this.#read(value).time;
  }

  #read(value: unknown): Order {
    const order = readOrder(value);
    if (order.time === null) return order;
    this.#kind ??= order.kind;
    if (order.kind !== this.#kind)
      throw new ConversionError(
        `is ${order.kind}, but a row before has ${this.#kind}: they can't be compared`,
      );
    return order;
  }
}

const date = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\d$/;

function readOrder(value: unknown): Order {
  if (typeof value === 'number' || typeof value === 'bigint' || isRawJSON(value))
    return { number: factToText(value), time: null };
  if (isDate(value)) return withZone(copyEncoders.timestamptz(value));
  if (typeof value === 'string') {
    if (decimal.test(value)) return { number: value, time: null };
    const instant = readInstant(value);
    if (typeof instant === 'bigint') return withZone(instant);
    const local = readInstant(date.test(value) ? `${value}T00:00Z` : `${value}Z`);
    if (typeof local === 'bigint')
      return { number: null, time: local, kind: 'a date or a time without a time zone' };
    if (local === 'is a time that does not exist') throw new ConversionError(local);
  }
  throw new ConversionError(
    'orders the rows, and is neither a number nor an ISO date or time, such as 2026-03-01 or 2026-03-01T12:00:00Z',
  );
}

function withZone(time: CopiedValue): Order {
  return { number: null, time, kind: 'a time with a time zone' };
}
