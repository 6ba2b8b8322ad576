// The characters that PostgreSQL's scanner distinguishes, by their codes.

export const quote = 0x27;
export const doubleQuote = 0x22;
export const dollar = 0x24;
export const ampersand = 0x26;
export const star = 0x2a;
export const plus = 0x2b;
export const minus = 0x2d;
export const dot = 0x2e;
export const slash = 0x2f;
export const zero = 0x30;
export const colon = 0x3a;
export const equals = 0x3d;
export const backslash = 0x5c;
export const underscore = 0x5f;

export const other = 0;
export const blank = 1;
export const letter = 2;
export const digit = 3;
export const operatorSign = 4;
// An operator that contains one of these is not standard SQL, and may end with `+` or `-`.
export const nonStandardOperatorSign = 5;

const classes = new Uint8Array(128);
for (const [characters, kind] of [
  [' \t\n\r\f\v', blank],
  ['abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_', letter],
  ['0123456789', digit],
  ['+-*/<>=', operatorSign],
  ['~!@#^&|`?%', nonStandardOperatorSign],
] as const) {
  for (const character of characters) classes[character.charCodeAt(0)] = kind;
}

/** Returns the class of a character. One that is not ASCII is a letter. */
export function classOf(code: number): number {
  return classes[code] ?? letter;
}

export function isBlank(code: number): boolean {
  return classOf(code) === blank;
}

export function isInLine(code: number): boolean {
  return code !== 0x0a && code !== 0x0d;
}

export function isDigit(code: number): boolean {
  return classOf(code) === digit;
}

export function isTagPart(code: number): boolean {
  const kind = classOf(code);
  return kind === letter || kind === digit;
}

export function isWordPart(code: number): boolean {
  return code === dollar || isTagPart(code);
}
