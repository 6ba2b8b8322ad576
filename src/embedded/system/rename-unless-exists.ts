import { rename } from 'node:fs/promises';
import { systemErrorCode } from './system-error-code.ts';

/** Renames a directory; a no-op when the new name exists. */
export async function renameUnlessExists(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '')) throw error;
  }
}
