import { execFile } from 'node:child_process';
import type { Run, Script } from './script-process.ts';

/** A script to run in a process of its own. */
export interface StartedScript extends Omit<Script, 'input'> {
  /** What standard input has, which has no end when it is `unfinished`. */
  readonly input?: string | Buffer | { readonly unfinished: string };
}

/** Runs a script in a new process. */
export function startScript({
  script,
  args,
  directory,
  environment,
  input = '',
}: StartedScript): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [script, ...args],
      { cwd: directory, env: environment },
      (error, stdout, stderr) => resolve({ code: error ? (child.exitCode ?? -1) : 0, stdout, stderr }),
    );
    if (typeof input === 'object' && 'unfinished' in input) child.stdin?.write(input.unfinished);
    else child.stdin?.end(input);
  });
}
