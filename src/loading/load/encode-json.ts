import { storableText } from '../../json/document-text.ts';
import { UnstorableJson } from '../../json/unstorable-json.ts';
import { ConversionError } from './conversion-error.ts';

/**
 * Returns a document as JSON text. `bigint` and the results of `rawJSON` keep all of their digits.
 *
 * @throws ConversionError when the document holds a value that JSON or PostgreSQL can't represent; the message has its path.
 */
export function encodeJson(document: unknown): string {
  try {
    return storableText(document, 'allowed');
  } catch (error) {
    if (!(error instanceof UnstorableJson)) throw error;
    const at = error.path.length === 0 ? '' : ` at ${error.path.map(String).join('.')}`;
    throw new ConversionError(`holds ${error.what}${at}, ${error.why}`, { cause: error });
  }
}
