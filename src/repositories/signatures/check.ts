import { types } from 'node:util';

/** Why a value is refused, and the path within it: `.name`, `[2]`, or an empty text for the value itself. */
export interface Problem {
  readonly at: string;
  readonly what: string;
}

/** The values that a check accepts, by kind. Tests derive valid and invalid arguments from it. */
export interface Accepted {
  readonly kind: 'text' | 'word' | 'number' | 'date' | 'document' | 'list' | 'object';
  readonly nullable?: boolean;
  readonly optional?: boolean;
  /** Of a word. */
  readonly words?: readonly string[];
  /** Of a list: the checks of its items, or the one of each. */
  readonly items?: readonly AnyCheck[];
  /** Of an object. Of a document, those that are checked before it is written. */
  readonly fields?: Readonly<Record<string, AnyCheck>>;
}

/** Returns the problem of a value; undefined if it is valid. It does not change the value. */
export interface AnyCheck {
  (value: unknown): Problem | undefined;
  readonly accepted?: Accepted | undefined;
}

/** The run-time check of a value of type `T`. */
export interface Check<T> extends AnyCheck {
  /** Never set. It makes a check of a narrower or a wider type than `T` a compile error. */
  readonly type?: (value: T) => T;
}

/** Returns `check` with a description of the values that it accepts. */
export function accepting(accepted: Accepted, check: (value: unknown) => Problem | undefined): AnyCheck {
  return Object.assign(check, { accepted });
}

/** A text that PostgreSQL can store. Every text of an argument, keys included, is checked here: add rules for all texts here. */
export const Text: Check<string> = accepting({ kind: 'text' }, (value) => {
  if (typeof value !== 'string') return mismatch('a string', value);
  return value.isWellFormed() ? undefined : mismatch('a string without half of a surrogate pair', value);
});

/** The key of a row. */
export const Key: Check<string> = accepting({ kind: 'text' }, (value) => Text(value));

/** A whole number that a column of type `integer` can hold. */
export const Integer: Check<number> = accepting({ kind: 'number' }, (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31
    ? undefined
    : mismatch('a whole number from -2147483648 to 2147483647', value),
);

/** A number, neither NaN nor infinite. */
export const FiniteNumber: Check<number> = accepting({ kind: 'number' }, (value) =>
  Number.isFinite(value) ? undefined : mismatch('a finite number', value),
);

/** A valid `Date`, of any realm. */
export const Instant: Check<Date> = accepting({ kind: 'date' }, (value) =>
  types.isDate(value) && !Number.isNaN(value.getTime()) ? undefined : mismatch('a valid Date', value),
);

/** Returns the check of one of these texts. */
export function oneOf<const Values extends readonly string[]>(values: Values): Check<Values[number]> {
  const allowed: ReadonlySet<unknown> = new Set(values);
  return accepting({ kind: 'word', words: values }, (value) =>
    allowed.has(value) ? undefined : mismatch(`one of: ${values.join(', ')}`, value),
  );
}

/** Returns a check that also accepts undefined. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return widened(check, { optional: true }, undefined);
}

/** Returns a check that also accepts null. */
export function nullable<T>(check: Check<T>): Check<T | null> {
  return widened(check, { nullable: true }, null);
}

function widened(
  check: AnyCheck,
  by: Pick<Accepted, 'nullable' | 'optional'>,
  also: null | undefined,
): AnyCheck {
  const either = (value: unknown): Problem | undefined => (value === also ? undefined : check(value));
  return check.accepted ? accepting({ ...check.accepted, ...by }, either) : either;
}

/** Returns the problem of a value that is not the expected one. A text or an object is reported by its type alone: it may be row data. */
export function mismatch(expected: string, value: unknown): Problem {
  return { at: '', what: `must be ${expected}, not ${kindOf(value)}` };
}

/** Returns the problem of a part of a value as one of the value. */
export function within(part: string, { at, what }: Problem): Problem {
  return { at: `${part}${at}`, what };
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value);
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date';
  if (typeof value !== 'object') return typeof value === 'string' ? 'this string' : `a ${typeof value}`;
  return Array.isArray(value) ? 'an array' : 'an object';
}
