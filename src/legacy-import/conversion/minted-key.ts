import { createHash } from 'node:crypto';

/** A key for a row that has none, made from the row: the same at every run. */
export function mintedKey(prefix: string, place: string, values: readonly (string | null)[]): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify([place, ...values]))
    .digest()
    .subarray(0, 16);
  // Version 8: a UUID that says nothing of when it was made. The variant is that of all UUIDs.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return `${prefix}_${groups.join('-')}`;
}
