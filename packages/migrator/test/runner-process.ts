import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { MigratorOptions } from 'mikro-orm-safe-migrations';

/** What a runner is to do. */
export interface Orders {
  /** The database. */
  readonly url: string;
  /** `down` takes all back. Default `up`. */
  readonly direction?: 'up' | 'down';
  /** Whose migrator. Default ours. */
  readonly by?: 'ours' | 'orm';
  readonly options?: Omit<MigratorOptions, 'onEvent'>;
}

/** What became of it. */
export interface Answer {
  /** The migrations that it ran. */
  readonly done: readonly string[];
  /** Why it failed; absent when it did not. */
  readonly code?: string;
  readonly message?: string;
}

/** A process that migrates the small project. */
export class RunnerProcess implements Disposable {
  readonly #process: ChildProcess;
  #answered = Promise.withResolvers<Answer | null>();

  private constructor(started: ChildProcess) {
    this.#process = started;
    if (!started.stdout) throw new Error('its output is not read');
    createInterface(started.stdout).on('line', (line) => this.#answered.resolve(JSON.parse(line)));
    started.once('close', () => this.#answered.resolve(null));
  }

  /** Starts it, and returns when it has loaded all that it needs. */
  static async start(): Promise<RunnerProcess> {
    const script = fileURLToPath(new URL('./runner.ts', import.meta.url));
    const started = spawn(process.execPath, [script], {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const runner = new RunnerProcess(started);
    await runner.#answered.promise;
    return runner;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** What it answers to an order; null when it was ended before it could. */
  async carryOut(orders: Orders): Promise<Answer | null> {
    this.#answered = Promise.withResolvers();
    this.#process.stdin?.write(`${JSON.stringify(orders)}\n`);
    return this.#answered.promise;
  }

  /** Ends it without a word. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  [Symbol.dispose](): void {
    this.kill();
  }

  /** Makes it stand still; returns when it does. */
  stop(): void {
    this.#process.kill('SIGSTOP');
    while (!/^State:\s+T/m.test(readFileSync(`/proc/${this.pid}/status`, 'utf8')));
  }

  /** Lets it go on. */
  wake(): void {
    this.#process.kill('SIGCONT');
  }
}
