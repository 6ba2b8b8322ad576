import { z } from 'zod';
import { InvalidJsonError } from '../errors.ts';
import { documentText } from './document-text.ts';
import { isRawJSON } from './raw-json.ts';

/**
 * Checks a document that was read against the shape of `column` (`table.column`).
 *
 * @throws InvalidJsonError naming the places that are out of shape, without their values.
 */
export function checkShape(column: string, shape: z.ZodType, document: unknown): void {
  const { error } = shape.safeParse(document);
  if (error) throw new InvalidJsonError(column, error.issues);
}

/**
 * Checks a document that is to be stored in `column`: that it can be stored as it is, and that it has the column's shape. For statements
 * that bypass the flush, which checks documents too. Returns the text that is stored.
 *
 * @throws InvalidJsonError naming the places that can't be stored or are out of shape, without their values.
 */
export function checkDocument(column: string, shape: z.ZodType, document: unknown): string {
  const text = documentText(column, document);
  try {
    checkShape(column, shape, document);
  } catch (error) {
    // A shape knows no numbers with more digits than JavaScript's have.
    if (!holdsRawJSON(document)) throw error;
    checkShape(column, shape, JSON.parse(text));
  }
  return text;
}

/** The text of a document that `checkDocuments` has checked. */
export class CheckedDocument {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Checks the documents of several rows as `checkDocument` does one; null stays null. Returns them in their order, to be stored without
 * being written as text once more.
 *
 * @throws InvalidJsonError naming the places in all of them; each path begins with the document's index.
 */
export function checkDocuments(
  column: string,
  shape: z.ZodType,
  documents: readonly unknown[],
): readonly (CheckedDocument | null)[] {
  try {
    return documents.map((document) =>
      document === null ? null : new CheckedDocument(checkDocument(column, shape, document)),
    );
  } catch (error) {
    checkDocument(column, z.array(shape.nullable()), documents);
    throw error;
  }
}

function holdsRawJSON(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return isRawJSON(value) || Object.values(value).some(holdsRawJSON);
}
