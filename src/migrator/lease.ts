import { hostname, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tables } from './bookkeeping.ts';
import { MigratorError } from './errors.ts';
import type { Session } from './session.ts';

/** A server process, told apart from a later one of the same number. */
export interface Backend {
  readonly pid: number;
  readonly startedAt: string;
  /** Whether it serves nobody else, so that it may be ended whatever it does. */
  readonly own: boolean;
}

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
  readonly backends: readonly Backend[];
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
  #lost = false;

  private constructor(
    session: Session,
    table: string,
    { token, abandoned, duration }: { token: string; abandoned: Abandoned | null; duration: number },
  ) {
    this.token = token;
    this.abandoned = abandoned;
    this.#session = session;
    this.#table = table;
    this.#duration = duration;
    // A beat that fails is followed by others; what matters is checked where it matters.
    this.#heart = setInterval(() => void this.#beat().catch(() => {}), duration / 3);
    this.#heart.unref();
  }

  /**
   * Waits for the lease and takes it. Server processes that still work for a holder whose time is over are ended first.
   *
   * @throws MigratorError `lock_held` when another holds it for longer than `wait`.
   */
  static async acquire(session: Session, { lease }: Tables, options: LeaseOptions): Promise<Lease> {
    const deadline = Date.now() + options.wait;
    const announced = new Set<string>();
    for (;;) {
      const row = await readLease(session, lease);
      if (row.expired) {
        await endBackends(session, lease, row.backends);
        const token = await take(session, lease, row.token, options.duration);
        if (token !== null) {
          return new Lease(session, lease, {
            token,
            abandoned: abandonedBy(row),
            duration: options.duration,
          });
        }
      } else if (!announced.has(row.token)) {
        announced.add(row.token);
        options.onWait?.(row.holder ?? 'another runner');
      }
      if (Date.now() >= deadline) {
        throw new MigratorError(
          'lock_held',
          `${row.holder ?? 'another runner'} has been migrating this database for longer than ${options.wait / 1000} s: ` +
            'wait for its end, or allow more time with --lock-wait (lockWait)',
        );
      }
      await sleep(50 + Math.random() * 150);
    }
  }

  /**
   * Says what is begun and which server process works for it, then holds the lease to the end of that transaction: nobody takes it
   * over meanwhile without ending the process.
   *
   * @throws MigratorError `lock_lost`
   */
  async guard(transaction: Session, work: Work): Promise<Backend> {
    const backend = await this.record(transaction, work, false);
    const held = await transaction.query(
      `select 1 from ${this.#table} where token = ${this.token} for key share`,
    );
    if (held.length === 0) this.#lose();
    return backend;
  }

  /**
   * Says what is begun and which server process works for it. Comes before each statement that has no transaction.
   *
   * @throws MigratorError `lock_lost`
   */
  async record(worker: Session, { migration, direction }: Work, own: boolean): Promise<Backend> {
    const [found] = await worker.query<Omit<Backend, 'own'>>(
      `select pid, backend_start::text as "startedAt" from pg_stat_activity where pid = pg_backend_pid()`,
    );
    if (!found) throw new Error('the server does not list the connection that asks');
    const backend = { ...found, own };
    await this.#change(
      `migration = $1, direction = $2, backends = $3,
       started_at = case when (migration, direction) = ($1, $2) then started_at else clock_timestamp() end`,
      [migration, direction, JSON.stringify([backend])],
    );
    return backend;
  }

  /** Nothing is under way any more. */
  async rest(): Promise<void> {
    await this.#change(`migration = null, direction = null, started_at = null, backends = '[]'`);
  }

  /** Gives it back. What fails here ends with the lease's time. */
  async release(): Promise<void> {
    clearInterval(this.#heart);
    if (this.#lost) return;
    await this.#session
      .query(
        `update ${this.#table} set expires_at = '-infinity', holder = null, migration = null, direction = null,
           started_at = null, backends = '[]' where token = ${this.token}`,
      )
      .catch(() => {});
  }

  async #beat(): Promise<void> {
    await this.#change('holder = holder');
  }

  async #change(set: string, values: readonly unknown[] = []): Promise<void> {
    const changed = await this.#session.query(
      `update ${this.#table} set ${set}, expires_at = clock_timestamp() + interval '${this.#duration} milliseconds'
       where token = ${this.token} returning 1`,
      values,
    );
    if (changed.length === 0) this.#lose();
  }

  #lose(): never {
    this.#lost = true;
    clearInterval(this.#heart);
    throw new MigratorError(
      'lock_lost',
      'this runner was not heard of for too long, and another took over: see `status` for what became of its migrations',
    );
  }
}

async function readLease(session: Session, table: string): Promise<LeaseRow> {
  const [row] = await session.query<LeaseRow>(
    `select token::text, expires_at < clock_timestamp() as expired, holder, migration, direction,
       started_at::text as "startedAt", backends from ${table}`,
  );
  if (!row) throw new Error(`${table} is empty: insert into ${table} default values`);
  // The ORM has the driver hand JSON over as it came.
  const backends: unknown = row.backends;
  return { ...row, backends: typeof backends === 'string' ? JSON.parse(backends) : row.backends };
}

/** The new token; null when somebody else was faster, or the holder came back. Waits for nobody. */
async function take(session: Session, table: string, seen: string, duration: number): Promise<string | null> {
  const holder = `${userInfo().username}@${hostname()} (process ${process.pid})`;
  const [taken] = await session.query<{ token: string }>(
    `with free as (
       select one from ${table} where token = $1 and expires_at < clock_timestamp() for update skip locked
     )
     update ${table} set token = token + 1, holder = $2, migration = null, direction = null, started_at = null, backends = '[]',
       expires_at = clock_timestamp() + interval '${duration} milliseconds'
     from free where ${table}.one = free.one returning token::text`,
    [seen, holder],
  );
  return taken?.token ?? null;
}

// Behind a pooler, a process that has ended its transaction works for somebody else by now: it does not hold the lease any more.
async function endBackends(session: Session, table: string, backends: readonly Backend[]): Promise<void> {
  for (const { pid, startedAt, own } of backends) {
    await session.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
       where pid = $1 and backend_start::text = $2
         and ($3 or exists (select from pg_locks where pg_locks.pid = pg_stat_activity.pid and relation = $4::regclass))`,
      [pid, startedAt, own, table],
    );
  }
}

function abandonedBy({ migration, direction, startedAt, holder }: LeaseRow): Abandoned | null {
  if (migration === null || direction === null || startedAt === null) return null;
  return { migration, direction, startedAt, holder: holder ?? 'a runner' };
}
