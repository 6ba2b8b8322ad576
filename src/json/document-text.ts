import { isNativeError } from 'node:util/types';
import { InvalidJsonError } from '../errors.ts';
import { rawJSON } from './raw-json.ts';
import { restoreDigits } from './stored-digits.ts';
import { maxDepth, refuseUnstorable, UnstorableJsonError } from './unstorable-json.ts';

/**
 * Returns the JSON text to store for a document. Numbers keep all digits: those that were read with more digits than JavaScript's have, those
 * of `rawJSON`, and those of a `bigint` where bigints are allowed.
 *
 * @throws UnstorableJsonError when the document has a value that would be changed or refused.
 */
export function storableText(document: unknown, bigints: 'allowed' | 'refused' = 'refused'): string {
  const restored = restoreDigits(document);
  const text = stringify(restored, bigints);
  // Only such a long text can be too deep.
  if (text.length > 2 * maxDepth || mayBeUnstorable(text)) refuseUnstorable(restored, { bigints });
  return text;
}

/**
 * Returns the JSON text to store for a document of a column (`table.column`), as `storableText`.
 *
 * @throws InvalidJsonError with the path of a value that would be changed or refused, without the document's values.
 */
export function documentText(column: string, document: unknown): string {
  try {
    return storableText(document);
  } catch (error) {
    if (!(error instanceof UnstorableJsonError)) throw error;
    throw new InvalidJsonError(column, [error]);
  }
}

/**
 * Returns the text by which a document is compared: its JSON text, or an empty text, which no column can store, when it can't be stored.
 * Does not throw: the document may be compared without being written.
 */
export function comparableText(document: unknown): string {
  try {
    const restored = restoreDigits(document);
    const text = JSON.stringify(restored);
    if (mayBeUnstorable(text)) refuseUnstorable(restored, { bigints: 'refused' });
    return text;
  } catch {
    return '';
  }
}

function stringify(document: unknown, bigints: 'allowed' | 'refused'): string {
  try {
    const text: string | undefined = JSON.stringify(document);
    if (text === undefined) throw new UnstorableJsonError([], 'nothing', 'which is not JSON');
    return text;
  } catch (error) {
    refuseUnstorable(document, { bigints });
    // Otherwise the error is from an allowed bigint, a getter or `toJSON`.
    if (!isNativeError(error) || error.name !== 'TypeError') throw error;
  }
  return JSON.stringify(document, (_, value: unknown) =>
    typeof value === 'bigint' ? rawJSON(String(value)) : value,
  );
}

/** Returns whether the JSON text of a document has a trace of an unstorable value. Faster than searching the document. */
function mayBeUnstorable(text: string): boolean {
  return ['null', '{}', '{"0":', '\\u'].some((trace) => text.includes(trace));
}
