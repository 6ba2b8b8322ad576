import { readFile } from 'node:fs/promises';
import { runProgram } from './run-program.ts';

/** The command line of a process, its words joined by spaces. Empty if it has ended, even if nobody collected it yet. */
export async function processCommand(pid: number): Promise<string> {
  // Slim images of Linux have no `ps`; macOS has no /proc.
  if (process.platform === 'linux') {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return words.replaceAll('\0', ' ').trim();
  }
  const line = await runProgram('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => '');
  return line.trim();
}
