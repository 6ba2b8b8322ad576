import { join } from 'node:path';
import { ScriptPool } from '../processes/script-pool.ts';
import type { Run } from '../processes/script-process.ts';
import { startScript, type StartedScript } from '../processes/start-script.ts';

export type { Run };

/** The file behind `synthdb`. */
export const main = join(import.meta.dirname, '../../src/cli/main.ts');

declare global {
  // oxlint-disable-next-line no-var -- only these become properties of the global object
  var commandPool: ScriptPool | undefined;
}

/**
 * Runs `synthdb` as a shell would, in `directory`, with nothing of ours in its environment but `environment`, and `input` to read. The
 * process has run other commands before; use `startSynthdb` where the process itself matters.
 */
export function synthdb(
  args: string[],
  directory: string,
  environment: Record<string, string> = {},
  input: string | Buffer = '',
): Promise<Run> {
  // Each test file has its own copy of this module, and all files of a worker share the processes.
  globalThis.commandPool ??= new ScriptPool(2);
  return globalThis.commandPool.run({
    script: main,
    args,
    directory,
    environment: { PATH: process.env['PATH'], ...environment },
    input,
  });
}

/** Runs `synthdb` likewise, but in a new process. */
export function startSynthdb(
  args: string[],
  directory: string,
  environment: Record<string, string> = {},
  input: StartedScript['input'] = '',
): Promise<Run> {
  return startScript({
    script: main,
    args,
    directory,
    environment: { PATH: process.env['PATH'], ...environment },
    input,
  });
}
