import { types } from 'node:util';

/** Why a value is refused, and where in it: `.name`, `[2]`, or an empty text for the value itself. */
export interface Problem {
  readonly at: string;
  readonly what: string;
}

/** Decides whether a value is what is expected: undefined when it is. It changes nothing. */
export type AnyCheck = (value: unknown) => Problem | undefined;

/** Decides at run time whether a value is a `T`. */
export interface Check<T> extends AnyCheck {
  /** Never set. It makes the check of a narrower or a wider type than `T` a compile error. */
  readonly type?: (value: T) => T;
}

/** A text that PostgreSQL can store. Keys and every other text of an argument pass here, so a rule for all texts belongs here. */
export const Text: Check<string> = (value) => {
  if (typeof value !== 'string') return isNot('a string', value);
  return value.isWellFormed() ? undefined : isNot('a string without half of a surrogate pair', value);
};

/** The key of a row. */
export const Key: Check<string> = (value) => Text(value);

/** A whole number that a column of type `integer` can hold. */
export const Integer: Check<number> = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31
    ? undefined
    : isNot('a whole number from -2147483648 to 2147483647', value);

/** A number, neither NaN nor infinite. */
export const FiniteNumber: Check<number> = (value) =>
  Number.isFinite(value) ? undefined : isNot('a finite number', value);

/** A `Date`, of any realm, that holds a time. */
export const Instant: Check<Date> = (value) =>
  types.isDate(value) && !Number.isNaN(value.getTime()) ? undefined : isNot('a valid Date', value);

/** One of these texts. */
export function oneOf<const Values extends readonly string[]>(values: Values): Check<Values[number]> {
  const allowed: ReadonlySet<unknown> = new Set(values);
  return (value) => (allowed.has(value) ? undefined : isNot(`one of: ${values.join(', ')}`, value));
}

/** What `check` accepts, or undefined. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value) => (value === undefined ? undefined : check(value));
}

/** What `check` accepts, or null. */
export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value) => (value === null ? undefined : check(value));
}

/** The problem that a value is not what is expected. Of a text or an object only the kind is shown: it may be row data. */
export function isNot(expected: string, value: unknown): Problem {
  return { at: '', what: `must be ${expected}, not ${kindOf(value)}` };
}

/** The problem of a part of a value, as one of the value. */
export function within(part: string, { at, what }: Problem): Problem {
  return { at: `${part}${at}`, what };
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value);
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date';
  if (typeof value !== 'object') return typeof value === 'string' ? 'this string' : `a ${typeof value}`;
  return Array.isArray(value) ? 'an array' : 'an object';
}
