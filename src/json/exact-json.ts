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
