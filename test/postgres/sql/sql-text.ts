import * as fc from 'fast-check';

const signs = String.raw`' '' \' \ E' e' U&' u&" B' x' N' " "" $$ $a$ $b$ $ /* */ -- ; , ( ) . .. : = - + * / @ ? | < > ! % {`;
const wordsAndNumbers = '$a $1 0 12 0x 0b1 0o _ e a u n begin commit é 😀 1_000 1.5';
const spaces = ['\n', '\r', ' ', '\t\f\v'];

const apart = [...signs.split(' '), ...spaces];
const all = [...apart, ...wordsAndNumbers.split(' ')];

const joined = (parts: readonly string[], separator: string) =>
  fc.array(fc.constantFrom(...parts), { maxLength: 30 }).map((chosen) => chosen.join(separator));

/** Texts of tokens of PostgreSQL's scanner, in any order. Most texts of the first form are refused for a number before a word. */
export const sqlText = fc.oneof(joined(all, ''), joined(all, ' '), joined(apart, ''));
