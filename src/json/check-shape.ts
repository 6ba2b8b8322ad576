import type { z } from 'zod';
import { InvalidJsonError } from '../errors.ts';
import { documentText } from './document-text.ts';
import { isRawJSON } from './raw-json.ts';

/**
 * Checks a document against the shape of `column` (`table.column`).
 *
 * @throws InvalidJsonError with the paths that do not match the shape, without their values.
 */
export function checkShape(column: string, shape: z.ZodType, document: unknown): void {
  const { error } = shape.safeParse(document);
  if (error) throw new InvalidJsonError(column, error.issues);
}

/**
 * Checks that a document can be stored unchanged in `column`, and that it matches the column's shape. Returns the text to store.
 *
 * @throws InvalidJsonError with the paths that can't be stored or do not match the shape, without their values.
 */
export function checkDocument(column: string, shape: z.ZodType, document: unknown): string {
  const text = documentText(column, document);
  try {
    checkShape(column, shape, document);
  } catch (error) {
    // A shape refuses the raw form of numbers with more digits than JavaScript's. Their rounded values are checked instead.
    if (!containsRawJson(document)) throw error;
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
 * Checks the documents of several rows as `checkDocument` does one; null stays null. Returns them in their order, so that storing them does not
 * serialize them again.
 *
 * @throws InvalidJsonError with the paths in all of them; each begins with the document's index.
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
    checkDocument(column, shape.nullable().array(), documents);
    throw error;
  }
}

function containsRawJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return isRawJSON(value) || Object.values(value).some(containsRawJson);
}
