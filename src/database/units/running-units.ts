import { DatabaseClosedError } from '../../errors.ts';
import { RunningUnit } from './running-unit.ts';
import { within } from '../../postgres/client/within.ts';

/** The units of work that run on a database, until it is closed. */
export class RunningUnits {
  readonly #running = new Map<RunningUnit, Promise<unknown>>();
  #isClosed = false;

  /**
   * Runs `work` as one of them. When `signal` is aborted, it is interrupted with its reason.
   *
   * @throws DatabaseClosedError when no more are taken.
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

  /** Takes no more, waits for those that run, and interrupts those that have not ended after so many milliseconds. */
  async close(milliseconds: number): Promise<void> {
    this.#isClosed = true;
    if (await within(milliseconds, this.#ended())) return;
    const late = new DatabaseClosedError(
      `the database was closed while the unit of work ran, and it did not end within ${milliseconds} ms`,
    );
    const ended = this.#ended();
    for (const unit of this.#running.keys()) unit.interrupt(late);
    await ended;
  }

  #ended(): Promise<unknown> {
    return Promise.allSettled(this.#running.values());
  }
}
