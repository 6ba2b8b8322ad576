import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** The file behind `synthdb`. */
export const main = join(import.meta.dirname, '../../src/cli/main.ts');

/** What a run of `synthdb` printed and how it ended. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `synthdb` as a shell would, in `directory`, with nothing of ours in its environment but `environment`, and `input` to read; without an end when it is `unfinished`. */
export function synthdb(
  args: string[],
  directory: string,
  environment: Record<string, string> = {},
  input: string | Buffer | { readonly unfinished: string } = '',
): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { cwd: directory, env: { PATH: process.env.PATH, ...environment } },
      (error, stdout, stderr) => resolve({ code: error ? (child.exitCode ?? -1) : 0, stdout, stderr }),
    );
    if (typeof input === 'object' && 'unfinished' in input) child.stdin?.write(input.unfinished);
    else child.stdin?.end(input);
  });
}
