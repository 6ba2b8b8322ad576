import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

// Where temporary files and compiled modules are kept changes no result, only the time.
const { PATH, TMPDIR, NODE_COMPILE_CACHE } = process.env;

/** Runs `script` against the test package in another process, with nothing of this run in its environment. */
export function runScript(
  script: string,
  environment: NodeJS.ProcessEnv = {},
  wrapper: readonly string[] = [],
): ChildProcess {
  const testing = new URL('../../src/testing/index.ts', import.meta.url).href;
  return runModule(`import { TestDatabase, TestServer } from '${testing}';\n${script}`, environment, wrapper);
}

/** The same without the package. `wrapper` is put before node's own command. */
export function runModule(
  source: string,
  environment: NodeJS.ProcessEnv,
  wrapper: readonly string[],
): ChildProcess {
  const [program, ...words] = [...wrapper, process.execPath, '--input-type=module', '--eval', source];
  return spawn(program, words, {
    env: { PATH, TMPDIR, NODE_COMPILE_CACHE, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** The next line that the process prints. */
export async function nextLine({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('its output is not read');
  const lines = createInterface(stdout);
  const [line]: unknown[] = await once(lines, 'line');
  lines.close();
  return String(line);
}
