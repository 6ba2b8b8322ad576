import { parseExactJson, hasLongDigits, hasLongNumbers, losesDigits } from './exact-json.ts';
import { isRawJSON } from './raw-json.ts';
import { maxDepth, UnstorableJsonError } from './unstorable-json.ts';

// Of documents that were read: those with long numbers. Which of these JavaScript rounded is asked when one is written, as few are.
const storedTexts = new WeakMap<object, string>();

/**
 * Reads a document as `JSON.parse` does: numbers are the nearest that JavaScript has. Where those lack digits, it keeps the text in
 * mind, so that the document can be written with all of them.
 *
 * @throws SyntaxError
 */
export function parseDocument(text: string): unknown {
  const document: unknown = JSON.parse(text);
  rememberDigits(document, text);
  return document;
}

/** Reads what PostgreSQL sends for a `jsonb` value, as `parseDocument` does. */
export function parseStoredDocument(text: string): unknown {
  const document: unknown = JSON.parse(text);
  if (hasLongDigits(text)) rememberDigits(document, text);
  return document;
}

/** Makes `document` keep the digits of `text`, in place of which it will be stored. */
export function rememberDigits(document: unknown, text: string): void {
  if (typeof document !== 'object' || document === null || !hasLongNumbers(text)) return;
  const known = storedTexts.get(document);
  if (known === undefined || !losesDigits(known)) storedTexts.set(document, text);
}

/**
 * Returns the document with all digits of the numbers that were rounded when it was read, and are where they were then. What else
 * was changed stays.
 *
 * @throws UnstorableJsonError when such a number has been moved: which digits it had isn't known then.
 */
export function restoreDigits(document: unknown): unknown {
  const text = typeof document === 'object' && document !== null ? storedTexts.get(document) : undefined;
  if (text === undefined || !losesDigits(text)) return document;
  const stored = parseExactJson(text);
  const gone = new Set<number>();
  compare(document, stored, (rounded) => gone.add(rounded));
  return restored(document, stored, gone, []);
}

/** Calls `onGone` with each rounded number of `stored` that is not where it was. */
function compare(document: unknown, stored: unknown, onGone: (rounded: number) => void): void {
  if (isRawJSON(stored)) {
    if (document !== roundedOf(stored)) onGone(roundedOf(stored));
  } else if (typeof stored === 'object' && stored !== null) {
    for (const [key, was] of Object.entries(stored)) compare(memberOf(document, key), was, onGone);
  }
}

function restored(
  now: unknown,
  was: unknown,
  gone: ReadonlySet<number>,
  path: readonly PropertyKey[],
): unknown {
  // It is refused for its depth, or for a circle.
  if (path.length > maxDepth) return now;
  if (typeof now === 'number') {
    if (isRawJSON(was) && roundedOf(was) === now) return was;
    if (gone.has(now) && was !== now)
      throw new UnstorableJsonError(
        path,
        'a number that JavaScript rounded when it was read',
        'which has been moved: give all of its digits by JSON.rawJSON',
      );
    return now;
  }
  if (Array.isArray(now))
    return now.map((one, index) => restored(one, memberOf(was, String(index)), gone, [...path, index]));
  if (typeof now !== 'object' || now === null || isRawJSON(now) || 'toJSON' in now) return now;
  if (Object.prototype.toString.call(now) !== '[object Object]') return now;
  return Object.fromEntries(
    Object.entries(now).map(([key, one]) => [key, restored(one, memberOf(was, key), gone, [...path, key])]),
  );
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}

function roundedOf(raw: unknown): number {
  return Number(JSON.stringify(raw));
}
