import { systemErrorCode } from './system-error-code.ts';

/** Whether a process has this id, whoever owns it. A dead one that its parent has not collected yet counts as alive. */
export function processAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}
