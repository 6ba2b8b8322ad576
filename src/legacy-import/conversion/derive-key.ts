import { createHash } from 'node:crypto';

/** Returns a deterministic key (prefix and UUIDv8) for a row without one, derived from its position and values: the same in every run. */
export function deriveKey(prefix: string, place: string, values: readonly (string | null)[]): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify([place, ...values]))
    .digest()
    .subarray(0, 16);
  // Version 8 (custom) and the variant of RFC 9562.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return `${prefix}_${groups.join('-')}`;
}
