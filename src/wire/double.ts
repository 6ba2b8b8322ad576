import { bitsOfHex } from './hex.ts';

/**
 * A `double precision` number as `float8send` returns it, in hexadecimal, with all digits. The digits of its text depend on
 * `extra_float_digits`.
 */
export type DoubleHex = string & { readonly [hexOf]: 'float8' };
declare const hexOf: unique symbol;

/** Returns the SQL expression that selects the `double precision` number of `expression` as `DoubleHex`. */
export function doubleHexSql(expression: string): string {
  return `encode(float8send(${expression}), 'hex')`;
}

const number = new Float64Array(1);
const halves = new Uint32Array(number.buffer);
// The bytes of the number 1 are 1, 0, … on a little-endian machine.
const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const [upper, lower] = isLittleEndian ? [1, 0] : [0, 1];

/** Returns the exact number of the `DoubleHex` that begins at `start`. */
export function numberOfHex(hex: string, start = 0): number {
  halves[upper] = bitsOfHex(hex, start);
  halves[lower] = bitsOfHex(hex, start + 8);
  return number[0] ?? Number.NaN;
}
