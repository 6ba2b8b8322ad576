import { storableText } from '../json/document-text.ts';
import { UnstorableJson } from '../json/unstorable-json.ts';
import { UnfitValue } from './unfit-value.ts';

/**
 * A document as JSON. Integers of any size keep their digits, also where they come as `bigint`; so does what `rawJSON` made.
 *
 * @throws UnfitValue when it holds what JSON or PostgreSQL can't. It would be lost, or refused without a word on the row.
 */
export function jsonText(document: unknown): string {
  try {
    return storableText(document, 'allowed');
  } catch (error) {
    if (!(error instanceof UnstorableJson)) throw error;
    const at = error.path.length === 0 ? '' : ` at ${error.path.map(String).join('.')}`;
    throw new UnfitValue(`holds ${error.what}${at}, ${error.why}`, { cause: error });
  }
}
