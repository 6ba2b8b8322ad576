import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tables } from '../ledger/tables.ts';
import { MigratorError } from '../session/errors.ts';
import {
  readBackend,
  terminateWorkers,
  mark,
  transactionLock,
  workersOf,
  type Backend,
  type RemainingWorker,
} from './lease-processes.ts';
import type { Session } from '../session/session.ts';
import { isLostConnection } from '../session/sql-state.ts';
import { systemUser } from '../session/system-user.ts';

/** What a holder works on. */
export interface Work {
  readonly migration: string;
  readonly direction: string;
}

interface LeaseRow {
  readonly token: string;
  readonly expired: boolean;
  readonly holder: string | null;
  readonly migration: string | null;
  readonly direction: string | null;
  readonly startedAt: string | null;
  /** JSON. */
  readonly backends: string;
}

export interface LeaseOptions {
  /** How long it is valid without a heartbeat, in milliseconds. */
  readonly duration: number;
  /** How long to wait for another runner, in milliseconds. */
  readonly wait: number;
  /** Called once for each holder that is waited for. */
  readonly onWait?: ((holder: string) => void) | undefined;
}

/** Work that its holder never finished. */
export interface Abandoned extends Work {
  readonly startedAt: string;
  readonly holder: string;
}

/**
 * The lease of a database, held by one runner at a time: a row with a fencing token that increases with each holder, and an expiry that a
 * heartbeat extends. Runners poll for it: waiting inside PostgreSQL would hold a snapshot, which `create index concurrently` waits for.
 */
export class Lease {
  readonly token: string;
  /** What the former holder worked on when its lease expired; null when it finished. */
  readonly abandoned: Abandoned | null;
  readonly #session: Session;
  readonly #table: string;
  readonly #duration: number;
  readonly #heart: NodeJS.Timeout;
  /** By this process's monotonic clock: until then no other runner can hold the lease. */
  #sureUntil: number;
  #beating: Promise<void> | undefined;
  #lost = false;

  private constructor(
    session: Session,
    table: string,
    taken: { token: string; sureUntil: number; abandoned: Abandoned | null; duration: number },
  ) {
    this.token = taken.token;
    this.abandoned = taken.abandoned;
    this.#session = session;
    this.#table = table;
    this.#duration = taken.duration;
    this.#sureUntil = taken.sureUntil;
    this.#heart = setInterval(() => this.#beat(), taken.duration / 3);
    this.#heart.unref();
  }

  /**
   * Waits for the lease and acquires it. Server processes that still work for a holder whose lease expired are terminated first, and
   * waited for.
   *
   * @throws MigratorError `lock_held` when another holds it for longer than `wait`.
   */
  static async acquire(session: Session, { lease: table }: Tables, options: LeaseOptions): Promise<Lease> {
    const { duration, wait } = options;
    const deadline = Date.now() + wait;
    const announced = new Set<string>();
    for (;;) {
      const row = await readLease(session, table);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `own` alone
      const backends = JSON.parse(row.backends) as Backend[];
      const remaining = row.expired ? await terminateWorkers(session, table, row.token, backends) : [];
      if (row.expired && remaining.length === 0) {
        const asked = performance.now();
        const token = await take(session, table, row, duration);
        if (token !== null) {
          return new Lease(session, table, {
            token,
            sureUntil: asked + duration,
            abandoned: abandonedBy(row),
            duration,
          });
        }
      } else if (!announced.has(row.token)) {
        announced.add(row.token);
        options.onWait?.(row.holder ?? 'another runner');
      }
      if (Date.now() >= deadline) throw new MigratorError('lock_held', whyHeld(row, remaining, wait));
      await sleep(50 + Math.random() * 150);
    }
  }

  /**
   * Records what the holder begins.
   *
   * @throws MigratorError `lock_lost`
   */
  async begin({ migration, direction }: Work): Promise<void> {
    await this.#change('migration = $1, direction = $2, started_at = clock_timestamp()', [
      migration,
      direction,
    ]);
  }

  /**
   * Locks the lease until the end of a transaction. Another runner has to terminate the process first.
   *
   * @throws MigratorError `lock_lost`
   */
  async guard(transaction: Session): Promise<void> {
    const held = await transaction.query(
      `select ${transactionLock(this.#table, this.token)} from ${this.#table} where token = ${this.token} for key share`,
    );
    if (held.length === 0) this.#lose();
  }

  /**
   * Records the process of a separate connection, which the next holder terminates if this lease expires.
   *
   * @throws MigratorError `lock_lost`
   */
  async own(connection: Session): Promise<void> {
    await this.#change('backends = $1', [JSON.stringify([await readBackend(connection)])]);
  }

  /**
   * Sends a statement that can't run in a transaction while the lease is certainly held, marked so that the next holder finds its
   * process.
   *
   * @throws MigratorError `lock_lost`
   */
  async send(connection: Session, sql: string): Promise<void> {
    // A statement of a former holder may have arrived late.
    await terminateWorkers(this.#session, this.#table, String(BigInt(this.token) - 1n));
    do await this.#renew();
    while (performance.now() >= this.#sureUntil);
    // Nothing asynchronous may come between the check of the clock and the query.
    await connection.query(mark(this.#table, this.token) + sql);
  }

  /** SQL that selects the ids of the processes that currently work for this holder. */
  get workers(): string {
    return workersOf(this.#table, this.token);
  }

  /** Terminates processes that broken connections of this holder have left, so that their outcome is final. */
  async settle(): Promise<void> {
    await terminateWorkers(this.#session, this.#table, this.token);
  }

  /** Records that the holder's work is finished. */
  async rest(): Promise<void> {
    await this.#change(`migration = null, direction = null, started_at = null, backends = '[]'`);
  }

  /** Releases the lease. If that fails, the lease expires. */
  async release(): Promise<void> {
    clearInterval(this.#heart);
    // It would extend the lease again, and it holds a connection.
    await this.#beating;
    if (this.#lost) return;
    await this.#session
      .query(
        `update ${this.#table} set expires_at = '-infinity', holder = null, migration = null, direction = null,
           started_at = null where token = ${this.token}`,
      )
      .catch(() => {});
  }

  // One at a time: on a connection that has gone silent they would take up the pool. One that fails is followed by others; what
  // matters is checked where it matters.
  #beat(): void {
    this.#beating ??= this.#renew()
      .catch(() => {})
      .finally(() => (this.#beating = undefined));
  }

  #renew(): Promise<void> {
    return this.#change('holder = holder');
  }

  async #change(set: string, values: readonly unknown[] = []): Promise<void> {
    const asked = performance.now();
    const changed = await this.#whileSure(() =>
      this.#session.query(
        `update ${this.#table} set ${set}, expires_at = clock_timestamp() + interval '${this.#duration} milliseconds'
         where token = ${this.token} returning 1`,
        values,
      ),
    );
    if (changed.length === 0) this.#lose();
    this.#sureUntil = Math.max(this.#sureUntil, asked + this.#duration);
  }

  // A lost connection is retried: the statements are idempotent.
  async #whileSure<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!isLostConnection(error) || performance.now() >= this.#sureUntil) throw error;
        await sleep(100);
      }
    }
  }

  #lose(): never {
    this.#lost = true;
    clearInterval(this.#heart);
    throw new MigratorError(
      'lock_lost',
      'the lease of this runner expired and another runner acquired it: run `status` to see what is applied',
    );
  }
}

async function readLease(session: Session, table: string): Promise<LeaseRow> {
  const [row] = await session.query<LeaseRow>(
    `select token::text, expires_at < clock_timestamp() as expired, holder, migration, direction,
       to_json(started_at) #>> '{}' as "startedAt", backends::text from ${table}`,
  );
  if (!row) throw new Error(`${table} is empty: insert into ${table} default values`);
  return row;
}

/** Acquires the expired lease without waiting. Returns the new token; null when another runner was first or the holder renewed it. */
async function take(
  session: Session,
  table: string,
  { token, backends }: LeaseRow,
  duration: number,
): Promise<string | null> {
  const holder = `${systemUser()}@${hostname()} (process ${process.pid})`;
  const [taken] = await session.query<{ token: string }>(
    `with free as (
       select one from ${table} where token = $1 and backends = $2 and expires_at < clock_timestamp() for update skip locked
     )
     update ${table} set token = token + 1, holder = $3, migration = null, direction = null, started_at = null, backends = '[]',
       expires_at = clock_timestamp() + interval '${duration} milliseconds'
     from free where ${table}.one = free.one returning token::text`,
    [token, backends, holder],
  );
  return taken?.token ?? null;
}

function abandonedBy({ migration, direction, startedAt, holder }: LeaseRow): Abandoned | null {
  if (migration === null || direction === null || startedAt === null) return null;
  return { migration, direction, startedAt, holder: holder ?? 'a runner' };
}

function whyHeld({ holder }: LeaseRow, remaining: readonly RemainingWorker[], wait: number): string {
  const who = holder ?? 'another runner';
  const [process] = remaining;
  if (!process) {
    return (
      `${who} still holds the lease of this database after ${wait / 1000} s: ` +
      'wait until it ends, or wait longer with --lock-wait'
    );
  }
  return (
    `server process ${process.pid} of role ${process.role ?? '?'} still works for ${who}, whose lease expired, ` +
    `and can't be terminated by this role: run select pg_terminate_backend(${process.pid}) as a role that may`
  );
}
