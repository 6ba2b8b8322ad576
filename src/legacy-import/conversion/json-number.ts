// PostgreSQL keeps a number of a document as `numeric`, which has so many digits on either side of its point at most.
const mostBefore = 131_072;
const mostBehind = 16_383;

/**
 * A JSON number as PostgreSQL writes it: all of its digits, without an exponent. Null when it has more of them than PostgreSQL keeps.
 */
export function canonicalNumber(text: string): string | null {
  // Nearly all of them.
  if (/^(?:-?[1-9]\d{0,20}|0)(?:\.\d{1,30})?$/.test(text)) return text;
  const [, minus = '', whole = '', behind = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const exponent = Number(power);
  const scale = Math.max(0, behind.length - exponent);
  if (scale > mostBehind || Math.abs(exponent) >= 2 ** 30 - 1) return null;
  const digits = `${whole}${behind}`;
  const significant = digits.replace(/^0+/, '');
  if (significant === '') return scale === 0 ? '0' : `0.${'0'.repeat(scale)}`;
  // How many digits there are in front of the point once it has moved.
  const point = whole.length + exponent;
  if (point - (digits.length - significant.length) > mostBefore) return null;
  const padded = point > digits.length ? digits.padEnd(point, '0') : digits;
  const before = point > 0 ? padded.slice(0, point).replace(/^0+(?=\d)/, '') : '0';
  const after = point > 0 ? padded.slice(point) : `${'0'.repeat(-point)}${padded}`;
  return `${minus}${before}${scale === 0 ? '' : `.${after}`}`;
}
