import { types } from 'node:util';
import { InvalidValueError } from '../errors.ts';
import { unstorableText } from '../guards/unstorable-text.ts';
import { documentText } from '../json/document-text.ts';

/**
 * Refuses a text that PostgreSQL would not store as it is. `what` names it where no column does.
 *
 * @throws InvalidValueError
 */
export function refuseUnstorableText(
  text: string,
  at: { readonly table?: string; readonly column?: string },
  what = 'a text',
): void {
  const found = unstorableText(text);
  if (found !== null)
    throw new InvalidValueError(`${what} holds ${found}, which PostgreSQL does not store`, at);
}

/**
 * Returns the parameters of a statement as they are sent. The driver would encode half of a surrogate pair as U+FFFD, and write NaN
 * in a document as null.
 *
 * @throws InvalidValueError or InvalidJsonError naming the parameter.
 */
export function storableParameters(values: readonly unknown[]): unknown[] {
  return values.map((value, index) => storable(value, `parameter $${index + 1}`));
}

function storable(value: unknown, parameter: string): unknown {
  if (typeof value === 'string') refuseUnstorableText(value, {}, parameter);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => storable(one, parameter));
  const isDocument = !ArrayBuffer.isView(value) && !types.isDate(value) && !('toPostgres' in value);
  return isDocument ? documentText(parameter, value) : value;
}
