import { isRawJSON } from '../../json/raw-json.ts';
import type { CopiedValue } from '../../postgres/copy/binary-rows.ts';

/** Checks a document by its shape. `text` is its JSON text. @throws InvalidJsonError */
export function validateDocument(
  validate: (document: unknown) => void,
  document: unknown,
  text: CopiedValue,
): void {
  try {
    validate(document);
  } catch (error) {
    // A shape does not accept `bigint` or raw JSON, which hold numbers with more digits than JavaScript's.
    if (!holdsLongNumbers(document)) throw error;
    validate(JSON.parse(String(text)));
  }
}

function holdsLongNumbers(value: unknown): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null) return false;
  return isRawJSON(value) || Object.values(value).some(holdsLongNumbers);
}
