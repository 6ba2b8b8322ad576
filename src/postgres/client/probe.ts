import { setTimeout } from 'node:timers/promises';

/** The server did not answer in time. */
export class NoAnswerError extends Error {
  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`);
  }
}

/**
 * Runs one check of a server at a time: concurrent callers share its result, so that a server which does not answer costs one connection
 * at most.
 */
export class Probe<T> {
  readonly #check: () => Promise<T>;
  #running: Promise<T> | undefined;

  constructor(check: () => Promise<T>) {
    this.#check = check;
  }

  /**
   * Returns the result of a check, or of the one that is running.
   *
   * @throws the error of the check; NoAnswerError when it takes longer than `timeout` milliseconds.
   */
  async run(timeout: number): Promise<T> {
    this.#running ??= this.#check().finally(() => (this.#running = undefined));
    // It may fail after its callers have timed out.
    this.#running.catch(() => {});
    const canceled = new AbortController();
    const late = setTimeout(timeout, undefined, { signal: canceled.signal }).then(() => {
      throw new NoAnswerError(timeout);
    });
    late.catch(() => {});
    try {
      return await Promise.race([this.#running, late]);
    } finally {
      canceled.abort();
    }
  }
}
