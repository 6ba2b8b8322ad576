import { runProgram } from './run-program.ts';
import type { ServerUser } from './server-user.ts';

/** Whether `user` may execute the program, or enter the directory, at `path`. The check runs as that user. */
export async function canExecute(path: string, user: ServerUser): Promise<boolean> {
  try {
    await runProgram('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { user });
    return true;
  } catch {
    return false;
  }
}
