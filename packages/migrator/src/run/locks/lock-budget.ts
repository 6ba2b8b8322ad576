import type { Session } from '../../session/session.ts';
import { lockTimeoutOf } from '../context/limits.ts';
import type { Run } from '../context/run.ts';
import type { Step } from '../context/step.ts';
import { LockWaits } from './lock-waits.ts';

// A statement that ends sooner is taken for one that waited, so that many short waits count, too.
const unseen = 25;
// The least that a statement has, in parts of the whole: a table in use is never free at once.
const least = 1 / 20;

/**
 * Shares a transaction's lock timeout between its statements: who waits for a table that the first one locked waits for all locks that
 * the later ones still lack. Each may wait for what is left.
 */
export class LockBudget {
  readonly #run: Run;
  readonly #session: Session;
  /** Zero for no limit. */
  readonly #limit: number;
  #waited = 0;
  /** The setting that the transaction began with, or that this class made last. */
  #setting: number;

  /** `session` is in the transaction, whose lock timeout is set already. */
  constructor(run: Run, session: Session, step: Step) {
    this.#run = run;
    this.#session = session;
    this.#limit = lockTimeoutOf(run.limits, step);
    this.#setting = this.#limit;
  }

  /** Sets the lock timeout of a statement, and runs `work`, which sends it. */
  async spend<T>(work: () => Promise<T>): Promise<T> {
    if (this.#limit === 0) return work();
    await this.#apply();
    const began = performance.now();
    const waits = new LockWaits(this.#run, unseen);
    try {
      return await work();
    } finally {
      const took = performance.now() - began;
      await waits.stop();
      this.#waited += took < unseen ? took : waits.total;
    }
  }

  async #apply(): Promise<void> {
    const left = Math.ceil(Math.max(this.#limit - this.#waited, this.#limit * least));
    // So that few statements need another round trip.
    if (this.#setting - left < this.#limit * least) return;
    // Unless the migration has set another one.
    await this.#session.query(
      `select set_config('lock_timeout', $1, true) from pg_settings where name = 'lock_timeout' and setting = $2`,
      [`${left}ms`, String(this.#setting)],
    );
    this.#setting = left;
  }
}
