import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { MigrationRefusedError } from '../../session/errors.ts';
import type { TrafficCounts, Order, Traffic } from './planned-request.ts';

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A thread that sends the requests of one build of the code. */
export class SendingThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #ended: Error | null = null;

  constructor() {
    // Compiled, it is next to this file with the same extension.
    this.#worker = new Worker(new URL(`./sender${extname(import.meta.filename)}`, import.meta.url));
    this.#worker.on(
      'message',
      ({ id, answer, error }: { readonly id: number; readonly answer: unknown; readonly error?: string }) => {
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (error === undefined) waiting?.resolve(answer);
        else waiting?.reject(new MigrationRefusedError(error));
      },
    );
    const rejectAll = (error: Error): void => {
      this.#ended ??= error;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    this.#worker.on('error', rejectAll);
    this.#worker.on('exit', () => rejectAll(new Error('the thread that sends requests ended')));
  }

  /**
   * Connects, and sends each request once. Returns the numbers of the tables that requests reach.
   *
   * @throws MigrationRefusedError when it can't connect, or a module has no workload.
   */
  async open(traffic: Traffic, { isBefore }: { readonly isBefore: boolean }): Promise<readonly number[]> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer to this order
    return (await this.#order({ kind: 'open', traffic, isBefore })) as readonly number[];
  }

  /** Sends the requests again and again. */
  async start(): Promise<void> {
    await this.#order({ kind: 'start' });
  }

  /** Waits until each request was begun and answered after the call. */
  async pass(): Promise<void> {
    await this.#order({ kind: 'pass' });
  }

  /** Returns what was counted since `open` or the last call, and begins to count anew. */
  async take(): Promise<TrafficCounts> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer to this order
    return (await this.#order({ kind: 'take' })) as TrafficCounts;
  }

  /** Stops sending and disconnects, and returns what was counted since the last call. */
  async close(): Promise<TrafficCounts> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer to this order
    return (await this.#order({ kind: 'close' })) as TrafficCounts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #order(order: Order): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of a thread, not of a window
      this.#worker.postMessage({ id, order });
    });
  }
}
