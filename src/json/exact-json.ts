import { rawJSON } from './raw-json.ts';

// Shorter numbers lose no digit, and most texts have no longer ones.
const mayLoseDigits = /\d{8}|\d[eE]/;
const longNumber = /-?\d[\d.]{15,}(?:[eE][+-]?\d+)?|-?\d[\d.]*[eE][+-]?\d+/g;

/**
 * Parses a JSON text without losing digits: a number that JavaScript can't represent exactly becomes a `rawJSON` with its text.
 *
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  if (!losesDigits(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined) return value;
    return isExact(source) ? value : rawJSON(source);
  });
}

/** Returns whether a JSON text may have numbers that lose digits. A quick check before `losesDigits`, which takes as long as parsing. */
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

/** Returns whether a JSON text has a number with more digits than JavaScript's numbers have. It may be within a string. */
export function losesDigits(text: string): boolean {
  return hasLongNumbers(text) && !(text.match(longNumber) ?? []).every(isExact);
}

function isExact(source: string): boolean {
  const written = String(Number(source));
  return source === written || canonicalNumber(source) === canonicalNumber(written);
}

/** Returns the canonical text of a number: equal numbers have the same one. */
function canonicalNumber(number: string): string {
  const [, minus = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = all.replace(/0+$/, '');
  if (significant === '') return whole === '' ? number : '0';
  return `${minus}${significant}e${Number(power) - fraction.length + all.length - significant.length}`;
}
