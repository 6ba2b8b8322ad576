import { InvalidJsonError } from '../errors.ts';
import { rawJSON } from './raw-json.ts';
import { withStoredDigits } from './stored-digits.ts';
import { mostLevels, refuseUnstorable, UnstorableJson } from './unstorable-json.ts';

/**
 * Returns a document as the JSON that is stored. Numbers that were read with more digits than JavaScript's have keep them; so does what
 * `rawJSON` made, and a `bigint` where bigints are allowed.
 *
 * @throws UnstorableJson when the document holds what would be stored as something else, or refused.
 */
export function storableText(document: unknown, bigints: 'allowed' | 'refused' = 'refused'): string {
  const kept = withStoredDigits(document);
  const text = stringify(kept, bigints);
  if (isSuspect(text)) refuseUnstorable(kept, { bigints });
  if (text === undefined) throw new UnstorableJson([], 'nothing', 'which is no JSON');
  return text;
}

/** `storableText`, for a column (`table.column`). Throws InvalidJsonError with the place, without the document's values. */
export function documentText(column: string, document: unknown): string {
  try {
    return storableText(document);
  } catch (error) {
    if (!(error instanceof UnstorableJson)) throw error;
    throw new InvalidJsonError(column, [error]);
  }
}

/** Returns the text that a document is compared by: what it would be stored as, or an empty one when it can't be stored. */
export function comparableText(document: unknown): string {
  try {
    return JSON.stringify(withStoredDigits(document)) ?? '';
  } catch {
    // Whoever is about to write it checks it, and says why. It may be read here, and not be written at all.
    return '';
  }
}

function stringify(document: unknown, bigints: 'allowed' | 'refused'): string | undefined {
  try {
    return JSON.stringify(document);
  } catch (error) {
    refuseUnstorable(document, { bigints });
    // What is left is a bigint that is allowed, or an error of a getter or `toJSON`.
    if (!(error instanceof TypeError)) throw error;
  }
  return JSON.stringify(document, (_, value: unknown) =>
    typeof value === 'bigint' ? rawJSON(String(value)) : value,
  );
}

/** Whether the text has a trace of something that may be wrong, or is long enough to be too deep: quicker to see than in the document. */
function isSuspect(text: string | undefined): boolean {
  return (
    text === undefined ||
    text.length > 2 * mostLevels ||
    ['null', '{}', '{"0":', '\\u'].some((trace) => text.includes(trace))
  );
}
