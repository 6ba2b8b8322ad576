import { bitsOfHex } from './hex.ts';

/**
 * A `timestamptz` as `timestamptz_send` returns it, in hexadecimal: microseconds since 2000 in 64 bits. Unlike its text, it does not depend
 * on settings of the session.
 */
export type InstantHex = string & { readonly [hexOf]: 'timestamptz' };
declare const hexOf: unique symbol;

/** Returns the SQL expression that selects the `timestamptz` of `expression` as `InstantHex`. */
export function instantHexSql(expression: string): string {
  return `encode(timestamptz_send(${expression}), 'hex')`;
}

// PostgreSQL counts from 2000, JavaScript from 1970.
const epochMs = Date.UTC(2000, 0);
const epoch = BigInt(epochMs) * 1_000n;
// The last instant that a `Date` can hold, in milliseconds; the first one is its negative.
const lastMs = 8_640_000_000_000_000;
const last = BigInt(lastMs) * 1_000n;
const high = 2 ** 32;
// The cycle of the calendar: 400 years.
const cycle = 146_097n * 86_400_000_000n;

/** `infinity` and `-infinity` in the binary format, in microseconds since 1970. */
const infinity = 2n ** 63n - 1n + epoch;
const minusInfinity = -(2n ** 63n) + epoch;

const [least64, most64] = [-(2n ** 63n), 2n ** 63n - 1n];

/**
 * Returns microseconds since 1970 in 64 bits, whose least and greatest number are `-infinity` and `infinity`; undefined for PostgreSQL's last
 * 29 years, which do not fit.
 */
export function microseconds64(microseconds: bigint): bigint | undefined {
  if (microseconds === infinity) return most64;
  if (microseconds === minusInfinity) return least64;
  return microseconds < most64 ? microseconds : undefined;
}

/** Returns the text of `microseconds64`. */
export function textOfMicroseconds64(microseconds: bigint): string {
  if (microseconds === most64) return 'infinity';
  return microseconds === least64 ? '-infinity' : textOfMicroseconds(microseconds);
}

/**
 * Returns the `Date` of the instant whose 16 digits begin at `start`, without its microseconds. `infinity`, `-infinity` and years after 275760 become the nearest possible
 * `Date`: `new Date(8.64e15)` or `new Date(-8.64e15)`.
 */
export function dateOfHex(hex: string, start = 0): Date {
  const microseconds = bitsOfHex(hex, start) * high + (bitsOfHex(hex, start + 8) >>> 0);
  if (Number.isSafeInteger(microseconds)) return new Date(Math.floor(microseconds / 1_000) + epochMs);
  return dateOfMicroseconds(microsecondsOfHex(hex.slice(start, start + 16)));
}

/** Returns the `Date` of microseconds since 1970, with the limits of `dateOfHex`. */
export function dateOfMicroseconds(microseconds: bigint): Date {
  return new Date(Math.min(Math.max(millisecondsOf(microseconds), -lastMs), lastMs));
}

/** Returns an instant as text that does not depend on settings of the session. */
export function textOfHex(hex: string): string {
  return textOfMicroseconds(microsecondsOfHex(hex));
}

/** Returns the microseconds since 1970 of a valid `Date`; those of `±infinity` for `new Date(±8.64e15)`. */
export function microsecondsOf(date: Date): bigint {
  const time = date.getTime();
  if (Math.abs(time) === lastMs) return time > 0 ? infinity : minusInfinity;
  return BigInt(time) * 1_000n;
}

// The ORM converts a date several times in a row: when it creates an entity, compares it, and writes it.
let converted = { time: Number.NaN, text: '' };

/** Returns a valid `Date` as text that does not depend on settings of the session. */
export function textOfDate(date: Date): string {
  const time = date.getTime();
  if (time !== converted.time) {
    const iso = date.toISOString();
    // PostgreSQL has no year 0, and no sign before a year.
    const isPlain = iso.length === 24 && !iso.startsWith('0000');
    converted = { time, text: isPlain ? iso : textOfMicroseconds(microsecondsOf(date)) };
  }
  return converted.text;
}

/** Returns microseconds since 1970 as text that does not depend on settings of the session. */
export function textOfMicroseconds(microseconds: bigint): string {
  if (microseconds === infinity) return 'infinity';
  if (microseconds === minusInfinity) return '-infinity';
  // A `Date` ends before PostgreSQL's years do; the calendar repeats itself every 400 years.
  const cycles = microseconds > last ? 50 : 0;
  const date = new Date(millisecondsOf(microseconds - BigInt(cycles) * cycle));
  const year = date.getUTCFullYear() + cycles * 400;
  const digits = String(year > 0 ? year : 1 - year).padStart(4, '0');
  const day = date.toISOString().slice(-20, -14);
  const time = date.toISOString().slice(-13, -5);
  const fraction = String(modulo(microseconds, 1_000_000n)).padStart(6, '0');
  return `${digits}${day} ${time}.${fraction}+00${year > 0 ? '' : ' BC'}`;
}

const isoForm =
  /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?)?$/i;

// As PostgreSQL prints years after 9999 and before 1, in UTC.
const distantForm =
  /^(\d{5,6}|\d{4,6}(?=.* BC$))-(\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,6})?)\+00(?::00)?( BC)?$/;

/**
 * Returns the microseconds since 1970 of a time in ISO 8601 with a zone; for an invalid text, the problem as a text. JavaScript's form of
 * years outside 0 to 9999 is valid, and in UTC that of PostgreSQL, `infinity` included.
 */
export function readInstant(text: string): bigint | string {
  const parts = isoForm.exec(text);
  if (!parts && text.endsWith('infinity')) {
    if (text === 'infinity') return infinity;
    if (text === '-infinity') return minusInfinity;
  }
  const distant = parts ? null : distantForm.exec(text);
  if (distant) return readDistant(distant);
  if (!parts) return 'is not an ISO time with up to six digits of a second, such as 2026-03-01T12:00:00Z';
  const [, year, month, day, hour, minute, second = '0', fraction = '', utc, sign, ...offsets] = parts;
  if (utc === undefined && sign === undefined) return 'has no zone; add Z or an offset such as +02:00';
  const [monthIndex, ...others] = [Number(month) - 1, day, hour, minute, second].map(Number);
  const local = new Date(0);
  local.setUTCFullYear(Number(year), monthIndex, Number(day));
  local.setUTCHours(Number(hour), Number(minute), Number(second));
  const exists =
    local.getUTCMonth() === monthIndex &&
    [local.getUTCDate(), local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].every(
      (part, index) => part === others[index],
    );
  const [hours = 0, minutes = 0, seconds = 0] = offsets.map((part: string | undefined) => Number(part ?? 0));
  if (!exists || hours > 15 || minutes > 59 || seconds > 59) return 'is a time that does not exist';
  const offset = (hours * 3_600 + minutes * 60 + seconds) * (sign === '-' ? -1 : 1);
  const milliseconds = local.getTime() - offset * 1_000;
  if (Math.abs(milliseconds) === lastMs) return microsecondsOf(new Date(milliseconds));
  return BigInt(milliseconds) * 1_000n + BigInt(fraction.padEnd(6, '0'));
}

function readDistant([, digits, day, time, era]: RegExpExecArray): bigint | string {
  const year = era === undefined ? Number(digits) : 1 - Number(digits);
  // A `Date` ends before PostgreSQL's years do; the calendar repeats itself every 400 years.
  const cycles = year > 275_000 ? 50 : 0;
  const within = year - cycles * 400;
  const sign = within < 0 ? '-' : '+';
  const read = readInstant(`${sign}${String(Math.abs(within)).padStart(6, '0')}-${day}T${time}Z`);
  return typeof read === 'string' ? read : read + BigInt(cycles) * cycle;
}

function microsecondsOfHex(hex: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${hex}`)) + epoch;
}

function millisecondsOf(microseconds: bigint): number {
  return Number((microseconds - modulo(microseconds, 1_000n)) / 1_000n);
}

// Never negative, unlike the remainder.
function modulo(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by;
}
