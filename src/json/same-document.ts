import { parseExactJson, losesDigits } from './exact-json.ts';
import { isRawJSON, rawJSON } from './raw-json.ts';

/**
 * Returns whether two JSON texts are equal as `jsonb`: in any order of keys and any notation of numbers. If `now` has no numbers with more
 * digits than JavaScript's, the numbers of `was` are rounded as JavaScript does.
 */
export function sameDocument(was: string, now: string): boolean {
  if (was === '' || now === '') return false;
  const read = losesDigits(now) ? parseExactJson : JSON.parse;
  return canonicalText(read(was)) === canonicalText(read(now));
}

// As text, because `isDeepStrictEqual` fails beyond some 900 levels.
function canonicalText(document: unknown): string {
  return JSON.stringify(document, (_, value: unknown) => {
    // From a number beyond JavaScript's range. `JSON.stringify` would write null.
    if (typeof value === 'number' && !Number.isFinite(value)) return rawJSON(value > 0 ? '1e999' : '-1e999');
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isRawJSON(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}
