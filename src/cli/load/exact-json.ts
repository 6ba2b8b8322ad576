import { rawJSON } from '../../loading/raw-json.ts';

// Nothing shorter loses a digit, and most texts hold nothing longer.
const mayLoseDigits = /[\d.]{16}|\d[eE]/;

/**
 * What a JSON text says. A number that JavaScript's have not the digits for stands there as `rawJSON`, so that it is written as it
 * was read.
 *
 * @throws SyntaxError
 */
export function exactJson(text: string): unknown {
  if (!mayLoseDigits.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined) return value;
    return digits(source) === digits(String(value)) ? value : rawJSON(source);
  });
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
