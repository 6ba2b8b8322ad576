import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EmbeddedPostgres } from '../../src/embedded/index.ts';

/** What a call in another process came to. */
export interface Outcome {
  server: Pick<
    EmbeddedPostgres,
    'url' | 'port' | 'major' | 'directory' | 'logFile' | 'started' | 'notices'
  > | null;
  error?: { name: string; code: string; message: string };
}

/** How and as whom that process runs. */
export interface Surroundings {
  uid?: number;
  gid?: number;
  env?: NodeJS.ProcessEnv;
  /** In a process group of its own. */
  detached?: boolean;
  /** Put before node's own command, such as `['unshare', '-m', …]`. */
  wrapper?: readonly string[];
  index?: string;
}

/** Calls a method of EmbeddedPostgres in a process of its own. */
export function elsewhere(
  method: 'start' | 'find' | 'remove',
  options: Record<string, unknown>,
  {
    wrapper = [],
    index = join(import.meta.dirname, '../../src/embedded/index.ts'),
    ...surroundings
  }: Surroundings = {},
): { process: ChildProcess; outcome: Promise<Outcome> } {
  const script = fileURLToPath(new URL('./call.ts', import.meta.url));
  const words = [...wrapper, process.execPath, script, index, method, JSON.stringify(options)];
  const child = spawn(words[0] ?? '', words.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    ...surroundings,
  });
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  let printed = '';
  let complaints = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  child.once('error', reject);
  child.once('close', (code) => {
    if (code === 0) resolve(JSON.parse(printed));
    else reject(new Error(`ended with ${code}: ${complaints}`));
  });
  return { process: child, outcome: promise };
}
