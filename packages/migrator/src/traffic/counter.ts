import { isNativeError } from 'node:util/types';
import { describeServerError } from '../session/describe-server-error.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import type { Counted, FailedAnswer, PhaseCounts, RequestFailure, TrafficPhase } from './planned-request.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What failed of a request. */
export type FailedPart = Pick<RequestFailure, 'request' | 'column' | 'statement'>;

/** Counts the requests of a thread, and measures how long each took. */
export class Counter {
  phase: TrafficPhase = 'idle';
  readonly #phases: Record<TrafficPhase, Writable<PhaseCounts>> = {
    idle: noRequests(),
    up: noRequests(),
    down: noRequests(),
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
        const { retried } = this.#phases[this.phase];
        const state = findSqlState(error);
        Object.assign(retried, { [state]: (retried[state] ?? 0) + 1 });
        return send();
      });
    } catch (error) {
      const { sql, ...part } = partOf(error);
      this.fail(part, answerOf(error, sql));
    }
    const counts = this.#phases[this.phase];
    counts.requests++;
    counts.slowestMs = Math.max(counts.slowestMs, performance.now() - began);
  }

  /** Waits for the answer to one statement, and measures how long it takes. */
  async awaitAnswer<T>(answer: Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await answer;
    } finally {
      const counts = this.#phases[this.phase];
      counts.worstStallMs = Math.max(counts.worstStallMs, performance.now() - began);
    }
  }

  fail(part: FailedPart, error: FailedAnswer): void {
    this.#phases[this.phase].failed++;
    const key = JSON.stringify([this.phase, part, error]);
    const known = this.#failures.get(key);
    if (known) known.requests++;
    else this.#failures.set(key, { ...part, phase: this.phase, error, requests: 1 });
  }

  result(): Counted {
    return { phases: this.#phases, failures: [...this.#failures.values()] };
  }
}

function noRequests(): Writable<PhaseCounts> {
  return { requests: 0, failed: 0, retried: {}, worstStallMs: 0, slowestMs: 0 };
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
