import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { nextLine, runScript } from './run-script.ts';

const script = `
  import { createInterface } from 'node:readline';
  const server = await TestServer.start();
  console.log(server.url);
  for await (const line of createInterface(process.stdin)) {
    if (line === 'stop') break;
    if (line === 'exit') process.exit(130);
    const db = await server.createDatabase();
    console.log(db.url);
  }
  await server.stop();
  process.exit();`;

/** As in a container, its processes have a separate process id namespace, and end with the first of them. */
export const ownProcessIds = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];

export const whyNoNamespaces =
  process.platform === 'linux' && process.getuid?.() === 0
    ? null
    : 'needs Linux, and root to make namespaces';

/** A run of a test suite in another process. */
export class OtherRun implements AsyncDisposable {
  /** Of its server. */
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  static async start(
    environment: NodeJS.ProcessEnv,
    { inContainer = false }: { readonly inContainer?: boolean } = {},
  ): Promise<OtherRun> {
    const process = runScript(script, environment, inContainer ? ownProcessIds : []);
    return new OtherRun(await nextLine(process), process);
  }

  /** A new database of it: its URL. Works only as long as the run has its server and its template. */
  async createDatabase(): Promise<string> {
    this.#process.stdin?.write('database\n');
    return await nextLine(this.#process);
  }

  async end(how: 'stop' | 'exit'): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin?.write(`${how}\n`);
    await ended;
  }

  /** Ends it as `kill -9` does; in a container, as the end of the container does. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** Not in a container, where only `unshare` would get the signal. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
