import type { TxClient } from '../../postgres/client/tx-client.ts';

/** A unit of work from its beginning to its end, with a way to interrupt it. */
export class RunningUnit {
  // Called on an interruption. There are one or two at a time; a promise to race against would cost each read more.
  readonly #waiting: ((reason: unknown) => void)[] = [];
  #stop: (() => void) | undefined;
  #interruption: { readonly reason: unknown } | undefined;
  #stopped: Promise<void> = Promise.resolve();

  /** The reason of its interruption; undefined when it was not interrupted. */
  get interruption(): { readonly reason: unknown } | undefined {
    return this.#interruption;
  }

  /** Rejects what it waits for with `reason`, cancels its statement on the server, and closes its connection. */
  interrupt(reason: unknown): void {
    if (this.#interruption) return;
    this.#interruption = { reason };
    for (const reject of this.#waiting) reject(reason);
    this.#stop?.();
  }

  /** Returns the result of `waiting`, or rejects when the unit of work is interrupted first. */
  unlessInterrupted<T>(waiting: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      waiting.then(resolve, reject);
      if (this.#interruption) reject(this.#interruption.reason);
      else this.#waiting.push(reject);
    });
  }

  /** Runs `work` on `client`. Rejects when the connection is lost, or the unit of work is interrupted. */
  async onClient<T>(client: TxClient, work: () => Promise<T>): Promise<T> {
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => {});
    // A running statement rejects in this turn, with a more precise error.
    const onLost = (error: Error) => void setImmediate(() => lost.reject(error));
    client.onLost = onLost;
    this.#stop = () => {
      // Once it is back in the pool, it may be in use by another unit of work.
      if (client.onLost === onLost) this.#stopped = client.abort(this.#interruption?.reason);
    };
    try {
      return await Promise.race([work(), lost.promise]);
    } finally {
      this.#stop = undefined;
      await this.#stopped;
    }
  }
}
