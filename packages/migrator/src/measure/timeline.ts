import type { Interceptor, Send } from '../internals/intercept-queries.ts';
import { rank } from '../lint/observation/locks.ts';
import type { HeldLock } from './lock-reader.ts';

/** A statement of a migration while it runs. Times by `performance.now()`; null until then. */
export interface TimedStatement {
  readonly number: number;
  readonly sql: string;
  readonly began: number;
  ended: number | null;
  readonly locks: TimedLock[];
  /** The time that the guard of the scratch database and this recording took meanwhile, which no other database has. */
  guarding: number;
  /** The server's messages, from the level that the database sets. */
  readonly messages: string[];
}

/** A lock that a statement took. */
export interface TimedLock extends HeldLock {
  readonly began: number;
  /** The end of its transaction. */
  ended: number | null;
}

/** What a migrator reports, as far as it is used here. */
interface ReportedEvent {
  readonly kind: string;
  readonly sql?: string;
  readonly number?: number;
}

// In milliseconds. Each read is twice as late as the one before, so that it takes no time from the statement.
const firstPoll = 5;
const longestPoll = 320;

/**
 * Records when each statement of a run began and ended, by the migrator's events and by what its connections send, and which locks it took:
 * read on another connection while it runs, and after it before the next one is sent.
 */
export class Timeline {
  readonly #statements = new Map<number, TimedStatement>();
  readonly #locksOf: (pid: number) => Promise<readonly HeldLock[]>;
  #current: TimedStatement | null = null;
  #newest = new WatchedConnection();

  constructor(locksOf: (pid: number) => Promise<readonly HeldLock[]>) {
    this.#locksOf = locksOf;
  }

  /** The statements in their order. After a retry, those of the last attempt. */
  get statements(): readonly TimedStatement[] {
    return [...this.#statements.values()].toSorted((a, b) => a.number - b.number);
  }

  /** Receives an event of the migrator. */
  follow({ kind, sql, number }: ReportedEvent): void {
    if (kind !== 'statement' && kind !== 'done') return;
    // A backfill sends other texts than its statement, and ends with the next event.
    if (this.#current) this.#current.ended ??= performance.now();
    this.#current = null;
    if (kind === 'done' || sql === undefined || number === undefined) return;
    this.#current = {
      number,
      sql,
      began: performance.now(),
      ended: null,
      locks: [],
      guarding: 0,
      messages: [],
    };
    this.#statements.set(number, this.#current);
  }

  /** Receives a message that the server sent to a connection of the run. */
  addMessage(message: string): void {
    this.#current?.messages.push(message);
  }

  /** Ends what has not ended, as after a failure. */
  finish(): void {
    const now = performance.now();
    for (const statement of this.#statements.values()) {
      statement.ended ??= now;
      for (const lock of statement.locks) lock.ended ??= now;
    }
  }

  /** Returns the interceptor between the guard of the scratch database and a new connection of the run. */
  inner(): Interceptor {
    const connection = new WatchedConnection();
    this.#newest = connection;
    return async (send, text, values) => {
      const began = performance.now();
      try {
        return await send(text, values);
      } finally {
        if (text === connection.text) connection.answered = performance.now() - began;
      }
    };
  }

  /** Returns the interceptor before the guard, of the connection for which `inner` was called last. */
  outer(): Interceptor {
    const connection = this.#newest;
    return async (send, text, values) => {
      const statement = this.#current;
      const isOwn = statement !== null && text.endsWith(statement.sql);
      // A backfill sends others: all its batches take the same locks.
      const isFirstBatch = /^update\b/i.test(text) && statement?.locks.length === 0;
      if (!statement || !(isOwn || isFirstBatch)) {
        const began = performance.now();
        const result = await connection.pass(send, text, values);
        if (statement?.ended === null) statement.guarding += connection.guarding(performance.now() - began);
        return result;
      }
      const entered = performance.now();
      const pid = await connection.process(send);
      const read = async (): Promise<void> => connection.add(statement, await this.#locksOf(pid));
      const ended = new AbortController();
      // A transaction keeps its locks, which are read after the statement.
      const reading = connection.isInTransaction ? Promise.resolve() : readUntil(ended.signal, read);
      const sent = performance.now();
      try {
        return await connection.pass(send, text, values);
      } finally {
        const now = performance.now();
        statement.guarding += sent - entered + connection.guarding(now - sent);
        if (isOwn) statement.ended = now;
        ended.abort();
        await reading;
        if (connection.isInTransaction) await read();
        else connection.release();
      }
    };
  }
}

/** A connection of the run, and the locks that its transaction holds. */
class WatchedConnection {
  isInTransaction = false;
  /** What the migrator sends now. */
  text: string | null = null;
  /** How long the server took for it; null where the guard sent another text. */
  answered: number | null = null;
  #pid: number | null = null;
  #held: TimedLock[] = [];

  async pass(...[send, text, values]: Parameters<Interceptor>): ReturnType<Interceptor> {
    this.text = text;
    this.answered = null;
    const result = await send(text, values);
    if (/^(?:begin|start transaction)\b/i.test(text)) this.isInTransaction = true;
    if (/^(?:commit|rollback)\b(?! to\b)/i.test(text)) {
      this.isInTransaction = false;
      this.release();
    }
    return result;
  }

  /** Returns how much of the time of the last text the guard took. */
  guarding(time: number): number {
    return this.answered === null ? 0 : time - this.answered;
  }

  async process(send: Send): Promise<number> {
    if (this.#pid === null) {
      this.text = null;
      const { rows } = await send('select pg_backend_pid() as pid');
      this.#pid = Number(rows[0]?.['pid']);
    }
    return this.#pid;
  }

  /** Adds to a statement the locks that are stronger than what is held already. */
  add(statement: TimedStatement, locks: readonly HeldLock[]): void {
    for (const lock of locks) {
      if (this.#held.some(({ table, mode }) => table === lock.table && rank(mode) >= rank(lock.mode)))
        continue;
      const taken: TimedLock = { ...lock, began: statement.began, ended: null };
      this.#held.push(taken);
      // Of several that one statement takes, the strongest.
      const weaker = statement.locks.findIndex(({ table }) => table === lock.table);
      if (weaker >= 0) statement.locks.splice(weaker, 1);
      statement.locks.push(taken);
    }
  }

  release(): void {
    const now = performance.now();
    for (const lock of this.#held) lock.ended = now;
    this.#held = [];
  }
}

async function readUntil(signal: AbortSignal, read: () => Promise<void>): Promise<void> {
  let pause = firstPoll;
  while (!signal.aborted) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause);
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
    pause = Math.min(2 * pause, longestPoll);
    if (!signal.aborted) await read();
  }
}
