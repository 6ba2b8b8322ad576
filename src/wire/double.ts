import { endianness } from 'node:os';
import { bitsOfHex } from './hex.ts';

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

const number = new Float64Array(1);
const halves = new Uint32Array(number.buffer);
const [upper, lower] = endianness() === 'LE' ? [1, 0] : [0, 1];

/** Returns the number whose 16 digits begin at `start`, to the last bit. */
export function numberOfHex(hex: string, start = 0): number {
  halves[upper] = bitsOfHex(hex, start);
  halves[lower] = bitsOfHex(hex, start + 8);
  return number[0] ?? Number.NaN;
}
