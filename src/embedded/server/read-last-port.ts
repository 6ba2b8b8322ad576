import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../system/system-error-code.ts';

/** Returns the port of the cluster's last start; null when it was never started. PostgreSQL records its arguments in a file. */
export async function readLastPort(dataDirectory: string): Promise<number | null> {
  try {
    const words = await readFile(join(dataDirectory, 'postmaster.opts'), 'utf8');
    const port = /"port=(\d+)"\s*$/.exec(words)?.[1];
    return port === undefined ? null : Number(port);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
