import { setTimeout } from 'node:timers/promises';

/**
 * Asks a server one thing, never twice at the same time: of a server that answers no more, no more than one connection is held by
 * those who ask.
 */
export class Probe<T> {
  readonly #question: () => Promise<T>;
  #running: Promise<T> | undefined;

  constructor(question: () => Promise<T>) {
    this.#question = question;
  }

  /**
   * What it answered, to this caller or to one who had asked just before.
   *
   * @throws what the question threw; Error when there was no answer within `patience` milliseconds.
   */
  async ask(patience: number): Promise<T> {
    this.#running ??= this.#question().finally(() => (this.#running = undefined));
    // It may still fail when nobody waits any more.
    this.#running.catch(() => {});
    const giveUp = new AbortController();
    const late = setTimeout(patience, undefined, { signal: giveUp.signal }).then(() => {
      throw new Error(`no answer within ${patience} ms`);
    });
    late.catch(() => {});
    try {
      return await Promise.race([this.#running, late]);
    } finally {
      giveUp.abort();
    }
  }
}
