import { rename } from 'node:fs/promises';
import { systemErrorCode } from './system-error-code.ts';

/** Moves a directory to a name that is free; if another has that name already, both stay. */
export async function renameUnlessTaken(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '')) throw error;
  }
}
