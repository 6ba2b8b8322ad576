import { rawJSON } from './raw-json.ts';

// Nothing shorter loses a digit, and most texts hold nothing longer.
const mayLoseDigits = /\d{8}|\d[eE]/;
const longNumber = /-?\d[\d.]{15,}(?:[eE][+-]?\d+)?|-?\d[\d.]*[eE][+-]?\d+/g;

/**
 * What a JSON text says. A number that JavaScript's have not the digits for stands there as `rawJSON`, so that it is written as it
 * was read.
 *
 * @throws SyntaxError
 */
export function exactJson(text: string): unknown {
  if (!losesDigits(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined) return value;
    return isExact(source) ? value : rawJSON(source);
  });
}

/** Whether a JSON text holds numbers that are worth a look by `losesDigits`, which takes as long as reading the text. */
export function hasLongNumbers(text: string): boolean {
  return mayLoseDigits.test(text);
}

/**
 * Returns whether a text has eight digits in a row. No shorter number loses one, and `jsonb` is printed without exponents: this is
 * `hasLongNumbers` for what PostgreSQL sends, in a sixth of the time.
 */
export function hasLongDigits(text: string): boolean {
  // Of eight digits in a row, one is at every eighth place.
  for (let at = 7; at < text.length; at += 8) {
    if (!isDigit(text, at)) continue;
    // And so is the fourth before or after it.
    if (!isDigit(text, at - 4) && !isDigit(text, at + 4)) continue;
    let [first, last] = [at, at];
    while (isDigit(text, first - 1)) first--;
    while (isDigit(text, last + 1)) last++;
    if (last - first >= 7) return true;
  }
  return false;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

/** Whether a JSON text may hold a number with more digits than JavaScript's have. It may be in a string instead. */
export function losesDigits(text: string): boolean {
  return hasLongNumbers(text) && !(text.match(longNumber) ?? []).every(isExact);
}

function isExact(source: string): boolean {
  const written = String(Number(source));
  return source === written || digits(source) === digits(written);
}

/** A number without what may be written in several ways. */
function digits(number: string): string {
  const [, minus = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = all.replace(/0+$/, '');
  if (significant === '') return whole === '' ? number : '0';
  return `${minus}${significant}e${Number(power) - fraction.length + all.length - significant.length}`;
}
