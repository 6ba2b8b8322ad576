import type { TxClient } from '../../postgres/client/tx-client.ts';

/** A unit of work from its beginning to its end, which may be interrupted in between. */
export class RunningUnit {
  // Told of an interruption. One waits at a time or two; a promise to race against would cost each read more.
  readonly #waiting: ((reason: unknown) => void)[] = [];
  #stop: (() => void) | undefined;
  #interruption: { readonly reason: unknown } | undefined;
  #stopped: Promise<void> = Promise.resolve();

  /** Why it was interrupted; undefined when it was not. */
  get interruption(): { readonly reason: unknown } | undefined {
    return this.#interruption;
  }

  /** Ends it with `reason`: whatever it waits for, and on the server too. */
  interrupt(reason: unknown): void {
    if (this.#interruption) return;
    this.#interruption = { reason };
    for (const reject of this.#waiting) reject(reason);
    this.#stop?.();
  }

  /** What `waiting` gives, unless the unit of work is interrupted first. */
  unlessInterrupted<T>(waiting: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      waiting.then(resolve, reject);
      if (this.#interruption) reject(this.#interruption.reason);
      else this.#waiting.push(reject);
    });
  }

  /** Has `client` to itself while `work` runs, which ends with the connection at the latest. */
  async onClient<T>(client: TxClient, work: () => Promise<T>): Promise<T> {
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => {});
    // The statement that it met tells more of it; its failure comes through in this turn.
    const onLost = (error: Error) => void setImmediate(() => lost.reject(error));
    client.onLost = onLost;
    this.#stop = () => {
      // Once it is back in the pool, it is somebody else's.
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
