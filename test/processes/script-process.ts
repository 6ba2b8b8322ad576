import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { join } from 'node:path';

/** A script to run, as by `node script …args`. */
export interface Script {
  readonly script: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** All variables of the environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** What standard input has. */
  readonly input?: string | Buffer;
}

/** What a process printed, and its exit code. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A script as it is sent to the process. */
export interface Job extends Script {
  /** In base64. */
  readonly input: string;
  /** Precedes the exit code at the end of both streams. */
  readonly mark: string;
}

/**
 * A Node process that runs scripts one after another, each with its own arguments, directory, environment, streams and exit code. Starting
 * a process for each would take ten times the CPU time of a short script, to load the same modules again.
 */
export class ScriptProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor() {
    this.#child = fork(join(import.meta.dirname, 'serve-scripts.ts'), {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
      execArgv: [],
    });
    this.#child.stdout?.setEncoding('utf8');
    this.#child.stderr?.setEncoding('utf8');
    this.#closed = once(this.#child, 'close');
    this.#keepCallerRunning(false);
  }

  /** Whether it can run another script. One that throws or calls `process.exit` ends it. */
  get isAlive(): boolean {
    return this.#child.connected && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Runs a script until nothing keeps it running. Call it again only after the returned promise is settled. */
  async run(script: Script): Promise<Run> {
    this.#keepCallerRunning(true);
    const mark = `\0${randomUUID()}\0`;
    const outputs = Promise.all([this.#read('stdout', mark), this.#read('stderr', mark)]);
    const job: Job = { ...script, input: Buffer.from(script.input ?? '').toString('base64'), mark };
    this.#child.send(job);
    const [[stdout, code], [stderr]] = await outputs;
    this.#keepCallerRunning(false);
    return { code: code ?? this.#child.exitCode ?? -1, stdout, stderr };
  }

  /** Ends the process. */
  [Symbol.dispose](): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  /** Reads a stream until the mark, and returns what precedes it and the exit code, which is null when the process ended. */
  async #read(name: 'stdout' | 'stderr', mark: string): Promise<[text: string, code: number | null]> {
    const ended = Promise.withResolvers<void>();
    let text = '';
    const append = (chunk: string): void => {
      text += chunk;
      if (text.endsWith('\n') && text.lastIndexOf(mark) >= 0) ended.resolve();
    };
    const stream = this.#child[name];
    stream?.on('data', append);
    await Promise.race([ended.promise, this.#closed]);
    stream?.off('data', append);
    const [printed = '', code] = text.split(mark);
    return [printed, code === undefined ? null : Number(code)];
  }

  #keepCallerRunning(keep: boolean): void {
    const { stdout, stderr, channel } = this.#child;
    const change = keep ? 'ref' : 'unref';
    this.#child[change]();
    channel?.[change]();
    for (const stream of [stdout, stderr]) if (stream instanceof Socket) stream[change]();
  }
}
