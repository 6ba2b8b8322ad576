import { isDate } from 'node:util/types';
import { rawJSON } from './raw-json.ts';
import { UnfitValue } from './unfit-value.ts';

/**
 * A document as JSON. Integers of any size keep their digits, also where they come as `bigint`; so does what `rawJSON` made.
 *
 * @throws UnfitValue when it holds what JSON or PostgreSQL can't: NaN, an infinity, an invalid date, U+0000, half of a surrogate
 * pair. They would be lost, or refused without a word on the row.
 */
export function jsonText(document: unknown): string {
  const text = stringify(document);
  if (text === undefined) throw new UnfitValue('is no JSON');
  // All that may be wrong leaves its trace in the text, which is quicker to search than the document.
  if (text.includes('null')) refuseLostValues(document, []);
  if (/(?<!\\)(?:\\\\)*\\u0000/.test(text))
    throw new UnfitValue('holds U+0000, which PostgreSQL does not store');
  if (/(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(text)) throw new UnfitValue('holds half of a surrogate pair');
  return text;
}

function stringify(document: unknown): string | undefined {
  try {
    return JSON.stringify(document);
  } catch {
    // `JSON.stringify` refuses a bigint.
  }
  try {
    return JSON.stringify(document, (_, value: unknown) =>
      typeof value === 'bigint' ? rawJSON(String(value)) : value,
    );
  } catch (cause) {
    throw new UnfitValue('is no JSON', { cause });
  }
}

function refuseLostValues(value: unknown, path: readonly string[]): void {
  if (typeof value === 'number' && !Number.isFinite(value)) refuse(String(value), path);
  if (isDate(value) && Number.isNaN(value.getTime())) refuse('an invalid date', path);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) refuseLostValues(inner, [...path, name]);
}

function refuse(what: string, path: readonly string[]): never {
  throw new UnfitValue(
    `holds ${what}${path.length === 0 ? '' : ` at ${path.join('.')}`}, which JSON can't say`,
  );
}
