import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { serverEnvironment } from './server-environment.ts';

/**
 * What the program printed, both streams together. Runs in `/`, since another user may not reach the caller's working
 * directory, and with the environment of PostgreSQL's programs unless given another.
 *
 * @throws Error with the end of the output, if the program cannot be run, fails, or takes longer than `timeoutMs`
 * (30 s), when it is killed.
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
  // A program that ends before it has read its input is judged by its exit code, not by the broken pipe.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    // Its own children may still hold the pipes; they must not keep us waiting or alive.
    child.stdout.destroy();
    child.stderr.destroy();
    reject(new Error(`${name} was killed: not done after ${timeoutMs} ms.${ending(output)}`));
  }, timeoutMs);
  child.once('error', (error) => {
    reject(new Error(`${program} cannot be run: ${error.message}`, { cause: error }));
  });
  child.once('close', (code, signal) => {
    if (code === 0) resolve(output);
    else reject(new Error(`${name} ended with ${signal ?? `code ${code}`}.${ending(output)}`));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function ending(output: string): string {
  const lines = output.trim();
  return lines === '' ? '' : `\n${lines.slice(-2000)}`;
}
