import { setTimeout } from 'node:timers/promises';

/** A request that a lane sends again and again. It handles its own failures. */
export type SendRequest = () => Promise<void>;

// Between two requests of a connection: a service is not always busy, and the migration needs the processor too.
const pause = 1;

/** Sends requests in turn, on one connection. */
export class Lane {
  readonly #requests: readonly SendRequest[];
  #begun = 0;
  #done = 0;
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();
  readonly #waiting: { readonly until: number; readonly resolve: () => void }[] = [];

  constructor(requests: readonly SendRequest[]) {
    this.#requests = requests;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Waits until each request was begun and answered after the call. */
  pass(): Promise<void> {
    if (this.#requests.length === 0) return Promise.resolve();
    return new Promise((resolve) =>
      this.#waiting.push({ until: this.#begun + this.#requests.length, resolve }),
    );
  }

  /** Begins no other request, and waits for the last one. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped && this.#requests.length > 0)
      for (const send of this.#requests) {
        if (this.#isStopped) return;
        this.#begun++;
        await send();
        this.#done++;
        for (const one of this.#waiting.slice()) {
          if (this.#done < one.until) continue;
          this.#waiting.splice(this.#waiting.indexOf(one), 1);
          one.resolve();
        }
        await setTimeout(pause);
      }
  }
}
