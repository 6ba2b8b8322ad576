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

/** What a holder is at. */
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
  /** How long it holds without a heartbeat, in milliseconds. */
  readonly duration: number;
  /** How long to wait for another runner, in milliseconds. */
  readonly wait: number;
  /** Called once for each runner that is waited for. */
  readonly onWait?: ((holder: string) => void) | undefined;
}

/** Work that its holder never ended. */
export interface Abandoned extends Work {
  readonly startedAt: string;
  readonly holder: string;
}

/**
 * The right to migrate, one runner's at a time: a row with a token that goes up with each holder, and an end that a heartbeat puts
 * off. It is competed for by asking again and again: whoever waited inside PostgreSQL would hold a snapshot, which an index that is
 * built concurrently waits for in turn.
 */
export class Lease {
  readonly token: string;
  /** What the holder before this one was at when it was last heard of. */
  readonly abandoned: Abandoned | null;
  readonly #session: Session;
  readonly #table: string;
  readonly #duration: number;
  readonly #heart: NodeJS.Timeout;
  /** By this process's clock: until then nobody can have taken over. */
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
   * Waits for the lease and takes it. Server processes that still work for a holder whose time is over are ended first, and waited
   * for while they are not.
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
   * Says what is begun.
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
   * Holds the lease to the end of that transaction: nobody takes it over meanwhile without ending the process.
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
   * Says which process serves a connection that nobody else uses: whoever takes over ends it, whatever it does.
   *
   * @throws MigratorError `lock_lost`
   */
  async own(connection: Session): Promise<void> {
    await this.#change('backends = $1', [JSON.stringify([await readBackend(connection)])]);
  }

  /**
   * Sends a statement that can't run in a transaction: in a moment in which nobody can have taken over yet, and marked, so that
   * whoever does finds its process.
   *
   * @throws MigratorError `lock_lost`
   */
  async send(connection: Session, sql: string): Promise<void> {
    // What a former holder sent may have come late.
    await terminateWorkers(this.#session, this.#table, String(BigInt(this.token) - 1n));
    do await this.#renew();
    while (performance.now() >= this.#sureUntil);
    // No turn of the event loop may come between that look at the clock and the sending.
    await connection.query(mark(this.#table, this.token) + sql);
  }

  /** SQL for the ids of the processes that work for this holder at the moment. */
  get workers(): string {
    return workersOf(this.#table, this.token);
  }

  /** Ends what connections that broke have left at work for this holder, so that what became of it is certain. */
  async settle(): Promise<void> {
    await terminateWorkers(this.#session, this.#table, this.token);
  }

  /** Nothing is under way any more. */
  async rest(): Promise<void> {
    await this.#change(`migration = null, direction = null, started_at = null, backends = '[]'`);
  }

  /** Gives it back. What fails here ends with the lease's time. */
  async release(): Promise<void> {
    clearInterval(this.#heart);
    // It would put the end off again, and keeps its connection for as long as it takes.
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

  // A connection that broke is no reason to give up: what is asked may be asked twice.
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

/** The new token; null when somebody else was faster, or the holder came back. Waits for nobody. */
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
