import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { serverEnvironment } from './server-environment.ts';

/**
 * Runs a program and returns its output, both streams combined. The working directory defaults to `/`, since another user may not be able
 * to enter the caller's, and the environment to that of PostgreSQL's programs.
 *
 * @throws Error with the end of the output when the program can't be run, fails, or is killed after `timeoutMs` (30 s).
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: {
    /** The user to run it as; by default, or null, the caller. */
    user?: { readonly uid: number; readonly gid: number } | null;
    input?: string;
    timeoutMs?: number;
    cwd?: string;
    environment?: NodeJS.ProcessEnv;
  } = {},
): Promise<string> {
  const { user, input = '', timeoutMs = 30_000, cwd = '/', environment = serverEnvironment } = options;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(program, args, {
    cwd,
    env: environment,
    stdio: 'pipe',
    ...(user && { uid: user.uid, gid: user.gid }),
  });
  const name = basename(program);
  let output = '';
  const collect = (chunk: Buffer): void => void (output += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  // A program may end before it has read its input: its exit code decides, not the broken pipe.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    // Its children may still hold the pipes, which would keep this process waiting.
    child.stdout.destroy();
    child.stderr.destroy();
    reject(new Error(`${name} timed out after ${timeoutMs} ms and was killed.${tail(output)}`));
  }, timeoutMs);
  child.once('error', (error) => {
    reject(new Error(`${program} cannot be run: ${error.message}`, { cause: error }));
  });
  child.once('close', (code, signal) => {
    if (code === 0) resolve(output);
    else reject(new Error(`${name} exited with ${signal ?? `code ${code}`}.${tail(output)}`));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function tail(output: string): string {
  const lines = output.trim();
  return lines === '' ? '' : `\n${lines.slice(-2000)}`;
}
