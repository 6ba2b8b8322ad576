import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { systemUser } from '../src/session/system-user.ts';

const file = join(import.meta.dirname, '../src/session/system-user.ts');

describe('systemUser', () => {
  test('returns the name of the user', () => {
    expect(systemUser()).toBe(userInfo().username);
  });

  // As a container that is run with an arbitrary user id.
  test.runIf(process.getuid?.() === 0)('returns the id of a user without a name', async () => {
    const script = `const { systemUser } = await import(${JSON.stringify(file)}); process.setuid(54321); console.log(systemUser())`;

    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);

    expect(stdout).toBe('uid 54321\n');
  });
});
