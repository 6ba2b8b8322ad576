import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A process of its own that runs `script` against the test package, with nothing of this run in its environment. */
export function runScript(script: string, environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const testing = new URL('../../src/testing/index.ts', import.meta.url).href;
  return spawn(
    process.execPath,
    ['--input-type=module', '--eval', `import { TestDatabase, TestServer } from '${testing}';\n${script}`],
    { env: { PATH: process.env['PATH'], ...environment }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
}

/** The next line that the process prints. */
export async function nextLine({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('its output is not read');
  const lines = createInterface(stdout);
  const [line]: unknown[] = await once(lines, 'line');
  lines.close();
  return String(line);
}
