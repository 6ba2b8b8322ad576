import { poolSession } from '../../session/session.ts';
import type { Run } from '../context/run.ts';

// In milliseconds.
const pause = 50;

/** For how long the transaction of a run waits for locks, as the server shows it to another connection. */
export class LockWaits {
  readonly #run: Run;
  #total = 0;
  /** The wait that was seen last: when it began, by the server's clock and by ours. */
  #current: { readonly since: string; readonly began: number } | null = null;
  #timer: NodeJS.Timeout | null;
  #looking: Promise<void> | undefined;

  /** Begins to look after `delay` milliseconds, so that short statements cost nothing. */
  constructor(run: Run, delay: number) {
    this.#run = run;
    this.#timer = this.#lookAfter(delay);
  }

  /** The waits in milliseconds, to the time when each was seen to have ended, or to `stop`. */
  get total(): number {
    return this.#total;
  }

  async stop(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#end();
    await this.#looking;
  }

  #lookAfter(delay: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#looking = this.#look();
    }, delay);
  }

  async #look(): Promise<void> {
    const asked = performance.now();
    // A failed look must not fail the statement.
    const wait = await this.#read().catch(() => null);
    if (!this.#timer) return;
    if (wait?.since !== this.#current?.since) this.#end();
    if (wait) this.#current ??= { since: wait.since, began: asked - wait.age };
    this.#timer = this.#lookAfter(pause);
  }

  async #read(): Promise<{ readonly since: string; readonly age: number } | null> {
    const [wait] = await poolSession(this.#run.orm).query<{ since: string; age: number }>(
      `select waitstart::text as since, (extract(epoch from clock_timestamp() - waitstart) * 1000)::float8 as age
       from pg_locks where not granted and waitstart is not null and pid in (${this.#run.lease.workers}) order by waitstart limit 1`,
    );
    return wait ?? null;
  }

  #end(): void {
    if (this.#current) this.#total += performance.now() - this.#current.began;
    this.#current = null;
  }
}
