import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MigratorTables } from '../ledger/tables.ts';
import { MigratorError } from '../session/errors.ts';
import {
  readBackend,
  terminateWorkers,
  fencingComment,
  transactionLock,
  workersOf,
  type Backend,
  type RemainingWorker,
} from './lease-processes.ts';
import type { Session } from '../session/session.ts';
import { isLostConnection } from '../session/find-sql-state.ts';
import { systemUser } from '../session/system-user.ts';

/** The migration that a holder runs. */
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
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Called once for each holder that is waited for. */
  readonly onWait?: ((holder: string) => void) | undefined;
}

/** Work that its holder did not finish. */
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
  /** The unfinished work of the former holder, whose lease expired; null when it finished. */
  readonly abandoned: Abandoned | null;
  readonly #session: Session;
  readonly #table: string;
  readonly #duration: number;
  readonly #timer: NodeJS.Timeout;
  /** By this process's monotonic clock. Until then no other runner can hold the lease. */
  #validUntil: number;
  #heartbeat: Promise<void> | undefined;
  #lost = false;

  private constructor(
    session: Session,
    table: string,
    acquired: { token: string; validUntil: number; abandoned: Abandoned | null; duration: number },
  ) {
    this.token = acquired.token;
    this.abandoned = acquired.abandoned;
    this.#session = session;
    this.#table = table;
    this.#duration = acquired.duration;
    this.#validUntil = acquired.validUntil;
    this.#timer = setInterval(() => this.#sendHeartbeat(), acquired.duration / 3);
    this.#timer.unref();
  }

  /**
   * Waits for the lease and acquires it. Server processes that still work for a holder whose lease expired are terminated first, and
   * waited for.
   *
   * @throws MigratorError `lock_held` when another holds it for longer than `wait`, `interrupted` when it is stopped.
   */
  static async acquire(
    session: Session,
    { lease: table }: MigratorTables,
    options: LeaseOptions,
  ): Promise<Lease> {
    const { duration, wait } = options;
    const deadline = Date.now() + wait;
    const announced = new Set<string>();
    for (;;) {
      if (options.signal?.aborted)
        throw new MigratorError('interrupted', 'the run was stopped before it began; nothing was changed');
      const row = await readLease(session, table);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `registerConnection` alone
      const backends = JSON.parse(row.backends) as Backend[];
      const remaining = row.expired ? await terminateWorkers(session, table, row.token, backends) : [];
      if (row.expired && remaining.length === 0) {
        const sentAt = performance.now();
        const token = await acquireExpired(session, table, row, duration);
        if (token !== null) {
          return new Lease(session, table, {
            token,
            validUntil: sentAt + duration,
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
   * Records the migration that the holder begins.
   *
   * @throws MigratorError `lock_lost`
   */
  async recordWork({ migration, direction }: Work): Promise<void> {
    await this.#change('migration = $1, direction = $2, started_at = clock_timestamp()', [
      migration,
      direction,
    ]);
  }

  /**
   * Locks the lease until the transaction ends. Another runner must first terminate its process.
   *
   * @throws MigratorError `lock_lost`
   */
  async guard(transaction: Session): Promise<void> {
    const held = await transaction.query(
      `select ${transactionLock(this.#table, this.token)} from ${this.#table} where token = ${this.token} for key share`,
    );
    if (held.length === 0) this.#throwLost();
  }

  /**
   * Records the process of a separate connection, which the next holder terminates if this lease expires.
   *
   * @throws MigratorError `lock_lost`
   */
  async registerConnection(connection: Session): Promise<void> {
    await this.#change('backends = $1', [JSON.stringify([await readBackend(connection)])]);
  }

  /**
   * Sends a statement that can't run in a transaction, only while the lease is certainly valid. A comment with the fencing token lets the
   * next holder find its process.
   *
   * @throws MigratorError `lock_lost`
   */
  async send(connection: Session, sql: string): Promise<void> {
    // A statement of a former holder may have arrived late.
    await terminateWorkers(this.#session, this.#table, String(BigInt(this.token) - 1n));
    do await this.#renew();
    while (performance.now() >= this.#validUntil);
    // Nothing asynchronous may come between the check of the clock and the query.
    await connection.query(fencingComment(this.#table, this.token) + sql);
  }

  /** SQL that selects the ids of the processes that currently work for this holder. */
  get workers(): string {
    return workersOf(this.#table, this.token);
  }

  /** Terminates processes of this holder's lost connections, so that the outcome of their statements is final. */
  async terminateLeftProcesses(): Promise<void> {
    await terminateWorkers(this.#session, this.#table, this.token);
  }

  /** Records that the holder's work is finished. */
  async recordIdle(): Promise<void> {
    await this.#change(`migration = null, direction = null, started_at = null, backends = '[]'`);
  }

  /** Releases the lease. If that fails, the lease expires. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    // A heartbeat in progress would extend the lease again, and it uses a connection.
    await this.#heartbeat;
    if (this.#lost) return;
    await this.#session
      .query(
        `update ${this.#table} set expires_at = '-infinity', holder = null, migration = null, direction = null,
           started_at = null where token = ${this.token}`,
      )
      .catch(() => {});
  }

  // One at a time: several on a silent connection would exhaust the pool. A failed one is ignored, because the lease is checked where it
  // is needed.
  #sendHeartbeat(): void {
    this.#heartbeat ??= this.#renew()
      .catch(() => {})
      .finally(() => (this.#heartbeat = undefined));
  }

  #renew(): Promise<void> {
    return this.#change('holder = holder');
  }

  async #change(set: string, values: readonly unknown[] = []): Promise<void> {
    const sentAt = performance.now();
    const changed = await this.#whileValid(() =>
      this.#session.query(
        `update ${this.#table} set ${set}, expires_at = clock_timestamp() + interval '${this.#duration} milliseconds'
         where token = ${this.token} returning 1`,
        values,
      ),
    );
    if (changed.length === 0) this.#throwLost();
    this.#validUntil = Math.max(this.#validUntil, sentAt + this.#duration);
  }

  // A lost connection is retried: the statements are idempotent.
  async #whileValid<T>(query: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await query();
      } catch (error) {
        if (!isLostConnection(error) || performance.now() >= this.#validUntil) throw error;
        await sleep(100);
      }
    }
  }

  #throwLost(): never {
    this.#lost = true;
    clearInterval(this.#timer);
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
async function acquireExpired(
  session: Session,
  table: string,
  { token, backends }: LeaseRow,
  duration: number,
): Promise<string | null> {
  const holder = `${systemUser()}@${hostname()} (process ${process.pid})`;
  const [acquired] = await session.query<{ token: string }>(
    `with free as (
       select one from ${table} where token = $1 and backends = $2 and expires_at < clock_timestamp() for update skip locked
     )
     update ${table} set token = token + 1, holder = $3, migration = null, direction = null, started_at = null, backends = '[]',
       expires_at = clock_timestamp() + interval '${duration} milliseconds'
     from free where ${table}.one = free.one returning token::text`,
    [token, backends, holder],
  );
  return acquired?.token ?? null;
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
