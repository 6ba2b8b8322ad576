// The limits of PostgreSQL's `numeric`, which stores the numbers of a document.
const maxIntegerDigits = 131_072;
const maxFractionDigits = 16_383;

/** Returns a JSON number as PostgreSQL prints it: all digits, no exponent. Null when it has more digits than PostgreSQL stores. */
export function canonicalNumber(text: string): string | null {
  // The fast path of nearly all numbers.
  if (/^(?:-?[1-9]\d{0,20}|0)(?:\.\d{1,30})?$/.test(text)) return text;
  const [, minus = '', whole = '', behind = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const exponent = Number(power);
  const scale = Math.max(0, behind.length - exponent);
  if (scale > maxFractionDigits || Math.abs(exponent) >= 2 ** 30 - 1) return null;
  const digits = `${whole}${behind}`;
  const significant = digits.replace(/^0+/, '');
  if (significant === '') return scale === 0 ? '0' : `0.${'0'.repeat(scale)}`;
  // The number of digits before the decimal point after the exponent is applied.
  const point = whole.length + exponent;
  if (point - (digits.length - significant.length) > maxIntegerDigits) return null;
  const padded = point > digits.length ? digits.padEnd(point, '0') : digits;
  const before = point > 0 ? padded.slice(0, point).replace(/^0+(?=\d)/, '') : '0';
  const after = point > 0 ? padded.slice(point) : `${'0'.repeat(-point)}${padded}`;
  return `${minus}${before}${scale === 0 ? '' : `.${after}`}`;
}
