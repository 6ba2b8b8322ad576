/**
 * A `double precision` number as `float8send` gives it, in hexadecimal. Its text has as many digits as `extra_float_digits` lets it
 * have; this has all.
 */
export type DoubleHex = string & { readonly [hexOf]: 'float8' };
declare const hexOf: unique symbol;

/** The SQL expression that sends the `double precision` number that `expression` is as `DoubleHex`. */
export function doubleHexSql(expression: string): string {
  return `encode(float8send(${expression}), 'hex')`;
}

const bits = new DataView(new ArrayBuffer(8));

/** The number, to the last bit. */
export function numberOfHex(hex: string): number {
  bits.setUint32(0, Number.parseInt(hex.slice(0, 8), 16));
  bits.setUint32(4, Number.parseInt(hex.slice(8), 16));
  return bits.getFloat64(0);
}
