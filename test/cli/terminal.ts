import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { stripVTControlCharacters } from 'node:util';

/** Whether there is a program that makes terminals. */
export const hasTerminals = spawnSync('script', ['--version']).status === 0;

/** What a terminal was sent, and how the command ended. */
export interface Seen {
  readonly code: number | null;
  readonly sent: string;
}

/** Runs a command on a terminal whose user types `keys` when asked for a name: a line, or a control character. */
export async function onTerminal(
  command: readonly string[],
  {
    environment = {},
    directory = tmpdir(),
    keys = '\n',
  }: { environment?: Record<string, string>; directory?: string; keys?: string },
): Promise<Seen> {
  const line = command.map((part) => `'${part.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const env = { PATH: process.env['PATH'], TERM: 'xterm', ...environment };
  const terminal = spawn('script', ['-qec', line, '/dev/null'], { cwd: directory, env });
  let sent = '';
  let asked = false;
  terminal.stdout.on('data', (data: Buffer) => {
    sent += data.toString();
    if (asked || !stripVTControlCharacters(sent).endsWith('to confirm: ')) return;
    asked = true;
    terminal.stdin.write(keys);
  });
  await once(terminal, 'close');
  return { code: terminal.exitCode, sent };
}
