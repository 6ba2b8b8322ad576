import { setTimeout } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Tables } from '../ledger/tables.ts';
import type { Direction, EmittedMigration } from '../files/emitted-migration.ts';
import { MigratorError } from '../session/errors.ts';
import { addToHistory } from '../ledger/history.ts';
import type { Lease } from '../lease/lease.ts';
import { isAlreadyThere } from '../leftovers/find-leftovers.ts';
import type { InTheWay } from '../leftovers/in-the-way.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';
import { isLostConnection, sqlStateOf } from '../session/sql-state.ts';

/** What happens while migrations run. Times in milliseconds. */
export type MigrationEvent =
  /** Another runner is waited for. */
  | { readonly kind: 'waiting'; readonly holder: string }
  | { readonly kind: 'started'; readonly name: string; readonly direction: Direction }
  | {
      readonly kind: 'statement';
      readonly name: string;
      readonly sql: string;
      /** Its number, from 1. */
      readonly number: number;
      readonly count: number;
    }
  /** The statement under way waits for locks of others. */
  | {
      readonly kind: 'blocked';
      readonly name: string;
      readonly by: readonly Blocker[];
      readonly waited: number;
    }
  /** A batch of a backfill was committed. */
  | {
      readonly kind: 'batch';
      readonly name: string;
      readonly table: string;
      /** How many rows it went through, before it was stopped and taken up again too. */
      readonly rows: number;
      readonly rowsPerSecond: number;
      /** How long the rest will take, by the planner's estimate of how much that is; null when there was more than that. */
      readonly remaining: number | null;
    }
  /** What is left over from before is what the migration makes: it is dropped in the migration's transaction, and made again. */
  | { readonly kind: 'replacing'; readonly name: string; readonly objects: readonly string[] }
  /** A lock was not to be had in time; the migration was taken back, and is tried again. */
  | { readonly kind: 'retrying'; readonly name: string; readonly delay: number }
  | {
      readonly kind: 'done';
      readonly name: string;
      readonly direction: Direction;
      readonly duration: number;
    };

/** A session whose lock is waited for. */
export interface Blocker {
  readonly pid: number;
  readonly role: string | null;
  readonly application: string | null;
  readonly state: string | null;
}

/** How long things may take, in milliseconds. */
export interface Limits {
  readonly lockTimeout: number;
  readonly lockRetry: number;
  readonly statementTimeout: number;
}

/** All that it takes to run a migration. */
export interface Run {
  readonly orm: MikroORM;
  readonly tables: Tables;
  readonly lease: Lease;
  readonly limits: Limits;
  readonly report: (event: MigrationEvent) => void;
  /** Finds out what is in the way of a migration that failed going up at this statement, from 1; null when nothing is seen to be. */
  readonly inTheWay: (migration: EmittedMigration, at: number) => Promise<InTheWay | null>;
}

/** One direction of a migration. */
export interface Step {
  readonly migration: EmittedMigration;
  readonly direction: Direction;
  readonly note?: string | undefined;
}

/** Notes in the log and the history, in one transaction with what they are about where that has one. */
export async function keepBooks(session: Session, run: Run, step: Step, startedAt: string): Promise<void> {
  const { migration, direction, note } = step;
  const { log } = run.tables;
  await (direction === 'up'
    ? session.query(`insert into ${log} (name) values ($1)`, [migration.name])
    : // The ORM logs names with their extension in some versions.
      session.query(`delete from ${log} where name = any($1)`, [
        ['', '.js', '.ts'].map((extension) => migration.name + extension),
      ]));
  await addToHistory(session, run.tables, {
    name: migration.name,
    direction,
    outcome: 'done',
    checksum: migration.checksum,
    startedAt,
    note,
    token: run.lease.token,
  });
}

/** Notes that a step failed, unless another runner has taken over, and gives the error to throw. */
export async function failed(
  run: Run,
  step: Step,
  { error, startedAt, at, remedy }: { error: unknown; startedAt: string; at: string; remedy: string },
): Promise<MigratorError> {
  const { name, checksum } = step.migration;
  const what = describe(error);
  try {
    await inTransaction(run.orm, async (session) => {
      await run.lease.guard(session);
      await addToHistory(session, run.tables, {
        name,
        direction: step.direction,
        outcome: 'failed',
        checksum,
        startedAt,
        error: what,
        token: run.lease.token,
      });
    });
  } catch (unwritten) {
    if (unwritten instanceof MigratorError) return unwritten;
    // That the history can't be written must not hide why.
  }
  return new MigratorError('failed', `${name} failed going ${step.direction}${at}: ${what}. ${remedy}`, {
    cause: error,
  });
}

/** What is in the way of a step that failed at a statement, from 1, because something exists; null for other failures. */
export async function inTheWayOf(run: Run, step: Step, at: number, error: unknown): Promise<InTheWay | null> {
  return step.direction === 'up' && isAlreadyThere(error) ? run.inTheWay(step.migration, at) : null;
}

/** What a transaction of a step begins with. */
export function timeouts({ limits }: Pick<Run, 'limits'>, { migration: { settings } }: Step): string {
  const lock = settings.lockTimeout ?? limits.lockTimeout;
  const statement = settings.statementTimeout ?? limits.statementTimeout;
  return `set local lock_timeout = '${lock}ms'; set local statement_timeout = '${statement}ms'`;
}

// No lock in time, a deadlock, a conflict of serializable transactions: all rolled back, and nobody's mistake.
const passing: ReadonlySet<string> = new Set(['55P03', '40P01', '40001']);

/** Does `work`, which leaves nothing when it fails, again after a while for as long as others are in its way. */
export async function withLocks<T>(run: Run, name: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + run.limits.lockRetry;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!passing.has(sqlStateOf(error)) || Date.now() > deadline) throw error;
      // Jittered, so that those who met once do not meet again.
      const delay = Math.round((0.5 + Math.random()) * Math.min(100 * 2 ** attempt, 2_000));
      run.report({ kind: 'retrying', name, delay });
      await setTimeout(delay);
    }
  }
}

/** The server's time, in ISO 8601. */
export async function serverTime(session: Session): Promise<string> {
  const [row] = await session.query<{ now: string }>(`select to_json(clock_timestamp()) #>> '{}' as now`);
  return row?.now ?? '';
}

/** Reports who is in the way of a statement of the step's for as long as `work` takes. */
export async function watched<T>(run: Run, name: string, work: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  const look = async (): Promise<void> => {
    const by = await poolSession(run.orm).query<Blocker>(
      `select pid, usename as role, application_name as application, state from pg_stat_activity
       where pid in (select unnest(pg_blocking_pids(pid)) from (${run.lease.workers}) as worker) order by pid`,
    );
    if (by.length > 0) run.report({ kind: 'blocked', name, by, waited: Date.now() - begun });
  };
  let looking: Promise<void> | undefined;
  const watch = setInterval(() => {
    looking ??= look()
      // To look is a courtesy.
      .catch(() => {})
      .finally(() => (looking = undefined));
  }, 500);
  try {
    return await work();
  } finally {
    clearInterval(watch);
    await looking;
  }
}

/** Whether a step whose last answer was lost on the way is in the history as done. */
export async function isDone(run: Run, { migration, direction }: Step): Promise<boolean> {
  // The server may be starting again.
  for (let attempt = 0; ; attempt++) {
    try {
      await run.lease.settle();
      const found = await poolSession(run.orm).query(
        `select 1 from ${run.tables.history} where token = $1 and name = $2 and direction = $3 and outcome = 'done'`,
        [run.lease.token, migration.name, direction],
      );
      return found.length > 0;
    } catch (error) {
      if (attempt >= 20 || !isLostConnection(error)) return false;
      await setTimeout(500);
    }
  }
}

// Of the server's texts, those that speak of statements and objects; others may hold what is in a row.
function describe(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const state = sqlStateOf(error);
  if (state === '') return error.message;
  const { table, constraint, column }: Error & { table?: string; constraint?: string; column?: string } =
    error;
  const named = [table, constraint, column].filter((name) => name !== undefined);
  if (/^(?:0A|0L|0P|25|2B|3D|3F|40|42|53|54|55|57|58)/.test(state))
    return `${firstLine(error.message)} (${state})`;
  return named.length > 0 ? `SQLSTATE ${state} (${named.join(', ')})` : `SQLSTATE ${state}`;
}

function firstLine(text: string): string {
  return text.split('\n').at(-1) ?? text;
}
