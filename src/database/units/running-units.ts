import { DatabaseClosedError } from '../../errors.ts';
import { RunningUnit } from './running-unit.ts';
import { settlesWithin } from '../../postgres/client/settles-within.ts';

/** The running units of work of a database. */
export class RunningUnits {
  readonly #running = new Map<RunningUnit, Promise<unknown>>();
  #isClosed = false;

  /**
   * Runs `work` as a unit of work. When `signal` is aborted, it is interrupted with the signal's reason.
   *
   * @throws DatabaseClosedError after `close`.
   */
  async run<T>(signal: AbortSignal | undefined, work: (unit: RunningUnit) => Promise<T>): Promise<T> {
    if (this.#isClosed)
      throw new DatabaseClosedError('the database was closed before the unit of work began');
    signal?.throwIfAborted();
    const unit = new RunningUnit();
    const interrupt = () => unit.interrupt(signal?.reason);
    signal?.addEventListener('abort', interrupt);
    try {
      const running = work(unit);
      this.#running.set(unit, running);
      return await running;
    } finally {
      signal?.removeEventListener('abort', interrupt);
      this.#running.delete(unit);
    }
  }

  /** Refuses further units of work, waits for the running ones, and interrupts those that have not ended after `milliseconds`. */
  async close(milliseconds: number): Promise<void> {
    this.#isClosed = true;
    if (await settlesWithin(milliseconds, this.#ended())) return;
    const closed = new DatabaseClosedError(
      `the database was closed, and the unit of work had not ended after ${milliseconds} ms`,
    );
    const ended = this.#ended();
    for (const unit of this.#running.keys()) unit.interrupt(closed);
    await ended;
  }

  #ended(): Promise<unknown> {
    return Promise.allSettled(this.#running.values());
  }
}
