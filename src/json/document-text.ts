import { isNativeError } from 'node:util/types';
import { InvalidJsonError } from '../errors.ts';
import { rawJSON } from './raw-json.ts';
import { restoreDigits } from './stored-digits.ts';
import { maxDepth, refuseUnstorable, UnstorableJsonError } from './unstorable-json.ts';

/**
 * Returns a document as the JSON that is stored. Numbers that were read with more digits than JavaScript's have keep them; so does what
 * `rawJSON` made, and a `bigint` where bigints are allowed.
 *
 * @throws UnstorableJsonError when the document holds what would be stored as something else, or refused.
 */
export function storableText(document: unknown, bigints: 'allowed' | 'refused' = 'refused'): string {
  const kept = restoreDigits(document);
  const text = stringify(kept, bigints);
  // Long enough to be too deep.
  if (text.length > 2 * maxDepth || hasTrace(text)) refuseUnstorable(kept, { bigints });
  return text;
}

/** `storableText`, for a column (`table.column`). Throws InvalidJsonError with the place, without the document's values. */
export function documentText(column: string, document: unknown): string {
  try {
    return storableText(document);
  } catch (error) {
    if (!(error instanceof UnstorableJsonError)) throw error;
    throw new InvalidJsonError(column, [error]);
  }
}

/**
 * Returns the text that a document is compared by: what it would be stored as, or an empty one, which no column takes, when it can't be
 * stored. It is checked when it is written; here it may only be read.
 */
export function comparableText(document: unknown): string {
  try {
    const kept = restoreDigits(document);
    const text = JSON.stringify(kept);
    if (hasTrace(text)) refuseUnstorable(kept, { bigints: 'refused' });
    return text;
  } catch {
    return '';
  }
}

function stringify(document: unknown, bigints: 'allowed' | 'refused'): string {
  try {
    const text: string | undefined = JSON.stringify(document);
    if (text === undefined) throw new UnstorableJsonError([], 'nothing', 'which is no JSON');
    return text;
  } catch (error) {
    refuseUnstorable(document, { bigints });
    // What is left is a bigint that is allowed, or an error of a getter or `toJSON`.
    if (!isNativeError(error) || error.name !== 'TypeError') throw error;
  }
  return JSON.stringify(document, (_, value: unknown) =>
    typeof value === 'bigint' ? rawJSON(String(value)) : value,
  );
}

/** Whether a text has a trace of what may be wrong with its document: quicker to see there than in the document. */
function hasTrace(text: string): boolean {
  return ['null', '{}', '{"0":', '\\u'].some((trace) => text.includes(trace));
}
