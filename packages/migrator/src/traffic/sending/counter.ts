import { isNativeError } from 'node:util/types';
import { describeServerError } from '../../session/describe-server-error.ts';
import { findSqlState } from '../../session/find-sql-state.ts';
import type { TrafficCounts, FailedAnswer, RequestFailure } from './planned-request.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What failed of a request. */
export type FailedPart = Pick<RequestFailure, 'request' | 'column' | 'statement'>;

/** Counts the requests of a thread, and measures how long each took. */
export class Counter {
  readonly #counts = {
    requests: 0,
    failed: 0,
    retried: new Map<string, number>(),
    worstStallMs: 0,
    slowestMs: 0,
  };
  readonly #failures = new Map<string, Writable<RequestFailure>>();

  /**
   * Sends a request, and once more where `again` allows it for the error. A failure is recorded.
   *
   * @param partOf returns what failed, and the SQL that it contains.
   */
  async count(
    send: () => Promise<void>,
    again: (error: unknown) => boolean,
    partOf: (error: unknown) => FailedPart & { readonly sql: string },
  ): Promise<void> {
    const began = performance.now();
    try {
      await send().catch((error: unknown) => {
        if (!again(error)) throw error;
        const { retried } = this.#counts;
        const state = findSqlState(error);
        retried.set(state, (retried.get(state) ?? 0) + 1);
        return send();
      });
    } catch (error) {
      const { sql, ...part } = partOf(error);
      this.fail(part, answerOf(error, sql));
    }
    this.#counts.requests++;
    this.#counts.slowestMs = Math.max(this.#counts.slowestMs, performance.now() - began);
  }

  /** Waits for the answer to one statement, and measures how long it takes. */
  async awaitAnswer<T>(answer: Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await answer;
    } finally {
      this.measure(performance.now() - began);
    }
  }

  /** Records how long an answer took, in milliseconds. */
  measure(duration: number): void {
    this.#counts.worstStallMs = Math.max(this.#counts.worstStallMs, duration);
  }

  fail(part: FailedPart, error: FailedAnswer): void {
    this.#counts.failed++;
    const key = JSON.stringify([part, error]);
    const known = this.#failures.get(key);
    if (known) known.requests++;
    else this.#failures.set(key, { ...part, error, requests: 1 });
  }

  result(): TrafficCounts {
    const retried = Object.fromEntries(this.#counts.retried);
    return { ...this.#counts, retried, failures: [...this.#failures.values()] };
  }
}

/** Returns the server's error without values of rows. */
function answerOf(error: unknown, sql: string): FailedAnswer {
  const found = serverErrorIn(error);
  const text = (name: string): string | null => {
    const value: unknown = found ? Reflect.get(found, name) : null;
    return typeof value === 'string' && value !== '' ? value : null;
  };
  return {
    state: findSqlState(error),
    message: describeServerError(found ?? error, [sql]),
    schema: text('schema'),
    table: text('table'),
    column: text('column'),
    constraint: text('constraint'),
  };
}

/** Returns the server's error below those that wrap it; the innermost one where the server is not the cause. */
function serverErrorIn(error: unknown): Error | null {
  if (!isNativeError(error)) return null;
  const isServers = 'code' in error && error.code === findSqlState(error);
  return isServers ? error : (serverErrorIn(error.cause) ?? error);
}
