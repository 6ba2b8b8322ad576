import type { z } from 'zod';
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
    if (!containsRawJson(document)) throw error;
    checkShape(column, shape, JSON.parse(text));
  }
  return text;
}

function containsRawJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return isRawJSON(value) || Object.values(value).some(containsRawJson);
}
