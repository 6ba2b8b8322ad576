import { parseExactJson, hasLongDigits, hasLongNumbers, losesDigits } from './exact-json.ts';
import { isRawJSON } from './raw-json.ts';
import { maxDepth, UnstorableJsonError } from './unstorable-json.ts';

// The texts of the loaded documents with long numbers. Whether JavaScript rounded one is checked when the document is written.
const storedTexts = new WeakMap<object, string>();

/**
 * Parses a document as `JSON.parse` does, which rounds numbers to the nearest that JavaScript has. If a number may lose digits, the text is
 * remembered, so that a write stores all of them.
 *
 * @throws SyntaxError
 */
export function parseDocument(text: string): unknown {
  const document: unknown = JSON.parse(text);
  rememberDigits(document, text);
  return document;
}

/** Parses the text that PostgreSQL sends for a `jsonb` value, as `parseDocument` does. */
export function parseStoredDocument(text: string): unknown {
  const document: unknown = JSON.parse(text);
  if (hasLongDigits(text)) rememberDigits(document, text);
  return document;
}

/** Remembers the digits of `text`, the stored text that `document` will replace. */
export function rememberDigits(document: unknown, text: string): void {
  if (typeof document !== 'object' || document === null || !hasLongNumbers(text)) return;
  const known = storedTexts.get(document);
  if (known === undefined || !losesDigits(known)) storedTexts.set(document, text);
}

/**
 * Returns the document with all digits of the numbers that were rounded when it was read, at their original places. Other changes are kept.
 *
 * @throws UnstorableJsonError when such a number was moved: its digits are no longer known.
 */
export function restoreDigits(document: unknown): unknown {
  const text = typeof document === 'object' && document !== null ? storedTexts.get(document) : undefined;
  if (text === undefined || !losesDigits(text)) return document;
  const stored = parseExactJson(text);
  const moved = new Set<number>();
  forEachMovedNumber(document, stored, (rounded) => moved.add(rounded));
  return restoreIn(document, stored, moved, []);
}

/** Calls `onMoved` with each rounded number of `stored` that is no longer at its place in `document`. */
function forEachMovedNumber(document: unknown, stored: unknown, onMoved: (rounded: number) => void): void {
  if (isRawJSON(stored)) {
    if (document !== roundedOf(stored)) onMoved(roundedOf(stored));
  } else if (typeof stored === 'object' && stored !== null) {
    for (const [key, was] of Object.entries(stored))
      forEachMovedNumber(memberOf(document, key), was, onMoved);
  }
}

function restoreIn(
  now: unknown,
  was: unknown,
  moved: ReadonlySet<number>,
  path: readonly PropertyKey[],
): unknown {
  // The caller refuses it, for its depth or a cycle.
  if (path.length > maxDepth) return now;
  if (typeof now === 'number') {
    if (isRawJSON(was) && roundedOf(was) === now) return was;
    if (moved.has(now) && was !== now)
      throw new UnstorableJsonError(
        path,
        'a number that JavaScript rounded when it was read',
        'which was moved: pass all of its digits by JSON.rawJSON',
      );
    return now;
  }
  if (Array.isArray(now))
    return now.map((one, index) => restoreIn(one, memberOf(was, String(index)), moved, [...path, index]));
  if (typeof now !== 'object' || now === null || isRawJSON(now) || 'toJSON' in now) return now;
  if (Object.prototype.toString.call(now) !== '[object Object]') return now;
  return Object.fromEntries(
    Object.entries(now).map(([key, one]) => [key, restoreIn(one, memberOf(was, key), moved, [...path, key])]),
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
