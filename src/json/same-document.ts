import { parseExactJson, losesDigits } from './exact-json.ts';
import { isRawJSON, rawJSON } from './raw-json.ts';

/**
 * Returns whether two JSON texts are the same `jsonb`, regardless of the order of keys and of how numbers are written. Where `now` has
 * no more digits than JavaScript's numbers, those of `was` are taken as JavaScript reads them.
 */
export function sameDocument(was: string, now: string): boolean {
  if (was === '' || now === '') return false;
  const read = losesDigits(now) ? parseExactJson : JSON.parse;
  return canonicalText(read(was)) === canonicalText(read(now));
}

// As text: `isDeepStrictEqual` takes some 900 levels.
function canonicalText(document: unknown): string {
  return JSON.stringify(document, (_, value: unknown) => {
    // Read from a number that JavaScript has none for; it would be written as null.
    if (typeof value === 'number' && !Number.isFinite(value)) return rawJSON(value > 0 ? '1e999' : '-1e999');
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isRawJSON(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}
