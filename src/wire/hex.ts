const digits = new Uint8Array(128);
for (let digit = 0; digit < 16; digit++) digits[digit.toString(16).charCodeAt(0)] = digit;

/** Returns the 32 bits of eight hexadecimal digits in lower case, as a signed number. Four times as fast as `Number.parseInt`. */
export function bitsOfHex(hex: string, start: number): number {
  let bits = 0;
  for (let at = start; at < start + 8; at++) bits = (bits << 4) | (digits[hex.charCodeAt(at)] ?? 0);
  return bits;
}
