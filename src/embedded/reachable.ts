import { runProgram } from './run-program.ts';
import type { ServerUser } from './server-user.ts';

/** Whether `user` may enter the directory, or run the program, at `path`. The kernel is asked, as that user. */
export async function reachable(path: string, user: ServerUser): Promise<boolean> {
  try {
    await runProgram('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { user });
    return true;
  } catch {
    return false;
  }
}
