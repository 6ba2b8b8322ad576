import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import { InterruptedError } from './interrupted-error.ts';
import { flushOutput } from './standard-streams.ts';

/** Whether a question can be asked and answered: a prompt on standard error is invisible when that is a file. */
export function isInteractive(): boolean {
  return isatty(0) && isatty(2);
}

/**
 * Asks a question on the terminal, and returns the typed line; empty at the end of input.
 *
 * @throws InterruptedError on Ctrl-C.
 */
export async function prompt(question: string): Promise<string> {
  // Earlier output must precede the prompt.
  await flushOutput();
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  terminal.once('close', () => resolve(''));
  terminal.once('SIGINT', () => reject(new InterruptedError('interrupted; nothing was changed')));
  terminal.question(question).then(resolve, reject);
  try {
    return await promise;
  } finally {
    terminal.close();
  }
}
