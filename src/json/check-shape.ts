import type { z } from 'zod';
import { InvalidJsonError } from '../errors.ts';

/**
 * Checks a document against the shape of `column` (`table.column`); for statements that go past a flush, which checks by itself.
 *
 * @throws InvalidJsonError naming the places that are out of shape, without their values.
 */
export function checkShape(column: string, shape: z.ZodType, document: unknown): void {
  const { error } = shape.safeParse(document);
  if (error) throw new InvalidJsonError(column, error.issues);
}
