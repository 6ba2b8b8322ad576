import { setTimeout } from 'node:timers/promises';

/** A server did not answer in time. */
export class NoAnswerError extends Error {
  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`);
  }
}

/**
 * Asks a server one question, never twice at the same time: callers that ask meanwhile share the answer, so that a server which
 * does not answer costs one connection at most.
 */
export class Probe<T> {
  readonly #question: () => Promise<T>;
  #running: Promise<T> | undefined;

  constructor(question: () => Promise<T>) {
    this.#question = question;
  }

  /**
   * Returns the answer to this question, or to one that is already under way.
   *
   * @throws what the question threw; NoAnswerError when there was no answer within `patience` milliseconds.
   */
  async ask(patience: number): Promise<T> {
    this.#running ??= this.#question().finally(() => (this.#running = undefined));
    // It may still fail when nobody waits any more.
    this.#running.catch(() => {});
    const giveUp = new AbortController();
    const late = setTimeout(patience, undefined, { signal: giveUp.signal }).then(() => {
      throw new NoAnswerError(patience);
    });
    late.catch(() => {});
    try {
      return await Promise.race([this.#running, late]);
    } finally {
      giveUp.abort();
    }
  }
}
