import { types } from 'node:util';
import { InvalidValueError } from '../../errors.ts';
import { documentText } from '../../json/document-text.ts';

/**
 * Refuses a text with an unpaired surrogate, which the driver would send as U+FFFD. `what` names the text in the message when the column is
 * unknown. PostgreSQL itself refuses U+0000.
 *
 * @throws InvalidValueError
 */
export function refuseMalformedText(
  text: string,
  at: { readonly table?: string; readonly column?: string },
  what = 'a text',
): void {
  if (!text.isWellFormed())
    throw new InvalidValueError(`${what} has half of a surrogate pair, which PostgreSQL can't store`, at);
}

/**
 * Returns the parameters of a statement in the form to send. The driver would encode an unpaired surrogate as U+FFFD, and write NaN in a
 * document as null.
 *
 * @throws InvalidValueError or InvalidJsonError naming the parameter.
 */
export function storableParameters(values: readonly unknown[]): unknown[] {
  return values.map((value, index) => storableValue(value, `parameter $${index + 1}`));
}

function storableValue(value: unknown, parameter: string): unknown {
  if (typeof value === 'string') refuseMalformedText(value, {}, parameter);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => storableValue(one, parameter));
  const isDocument = !ArrayBuffer.isView(value) && !types.isDate(value) && !('toPostgres' in value);
  return isDocument ? documentText(parameter, value) : value;
}
