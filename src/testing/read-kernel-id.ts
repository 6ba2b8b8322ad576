import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Returns eight hexadecimal digits that identify the boot of the running kernel, which containers share with their host. */
export async function readKernelId(): Promise<string> {
  const id =
    process.platform === 'linux'
      ? await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
      : (await promisify(execFile)('sysctl', ['-n', 'kern.bootsessionuuid'])).stdout;
  return createHash('sha256').update(id.trim()).digest('hex').slice(0, 8);
}
