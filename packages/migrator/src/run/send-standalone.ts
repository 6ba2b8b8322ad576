import type { Progress } from '../ledger/state.ts';
import { MigrationRefusedError, MigratorError } from '../session/errors.ts';
import { findSqlState, isLostConnection } from '../session/find-sql-state.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { classifyStandalone, undecidedStandalone, type Standalone } from '../sql/classify-standalone.ts';
import { commitsInBlock } from '../sql/commits-in-block.ts';
import { outcomeOf, type Outcome, type SharedObject } from '../sql/outcome.ts';
import { forgetProgress, recordProgress } from './record-progress.ts';
import { remainingStatements, requireValidIndex } from '../leftovers/remaining-statements.ts';
import type { Run } from './context/run.ts';
import { parseTarget, resolveStatementTarget } from '../leftovers/statement-target.ts';
import type { Step } from './context/step.ts';
import { withBlockerReports } from './locks/with-blocker-reports.ts';

/** A statement outside a transaction. */
export interface StandaloneStatement {
  readonly sql: string;
  /** Its number, from 0. */
  readonly index: number;
  /** Its progress from an interrupted run. */
  readonly known: Progress | undefined;
  readonly kind: Standalone;
}

/** Returns the kind of a statement that runs outside transactions; null for any other. Asks the server where the text does not say it. */
export async function findStandalone(session: Session, sql: string): Promise<Standalone | null> {
  const kind = await classifyStandalone(sql);
  if (kind) return kind;
  const undecided = await undecidedStandalone(sql);
  if (!undecided) return null;
  if (undecided.kind === 'relation') {
    const [partitioned] = await session.query(
      `select 1 from pg_class where oid = to_regclass($1) and relkind in ('p', 'I')`,
      [undecided.name],
    );
    return partitioned ? { kind: 'other' } : null;
  }
  // Of several procedures with one name, none is found.
  const [procedure] = await session.query<{ body: string }>(
    'select prosrc as body from pg_proc where oid = to_regproc($1)',
    [undecided.name],
  );
  return procedure && (await commitsInBlock(procedure.body)) ? { kind: 'other' } : null;
}

/**
 * Sends a statement outside a transaction, between a record that its outcome is unknown and one that it is done.
 *
 * @throws MigratorError `failed` when it was sent before, its outcome is unknown, and it may not be sent again; and what it throws.
 */
export async function sendStandalone(
  run: Run,
  step: Step,
  own: Session,
  { sql, index, known, kind }: StandaloneStatement,
): Promise<void> {
  const { name } = step.migration;
  const place = known?.place ?? null;
  const target = (place === null ? null : parseTarget(place)) ?? (await resolveStatementTarget(kind, own));
  const record = (done: boolean): Promise<void> =>
    inTransaction(run.orm, async (session) => {
      await run.lease.guard(session);
      await recordProgress(session, run, step, { sql, index, done, place: target });
    });
  const outcome = kind.kind === 'other' ? await outcomeOf(sql) : null;
  const isDone = known && outcome ? await wasDone(run, step, own, { outcome, index, sql }) : false;
  if (!isDone) {
    await record(false);
    const dropped = target && 'oid' in target ? target : null;
    const rest = await remainingStatements(kind, sql, own, { interrupted: known !== undefined, dropped });
    try {
      for (const text of rest) await withBlockerReports(run, name, () => run.lease.send(own, text));
    } catch (error) {
      if (outcome && isAtomic(outcome) && findSqlState(error) !== '' && !isLostConnection(error))
        await forgetProgress(run, step, index);
      throw error;
    }
  }
  await requireValidIndex(kind, own);
  await record(true);
}

/** Whether a statement runs code that may leave something in its session. */
export async function runsCode(sql: string, kind: Standalone): Promise<boolean> {
  if (kind.kind !== 'other') return false;
  const outcome = await outcomeOf(sql);
  return outcome.kind === 'unknown' || /\bdiscard\b/i.test(sql);
}

/** @throws MigrationRefusedError behind a pooler for code outside a transaction: what it leaves in its session can't be found again. */
export async function refuseCodeBehindPooler(name: string, sql: string, kind: Standalone): Promise<void> {
  if (kind.kind !== 'other') return;
  const outcome = await outcomeOf(sql);
  if (outcome.kind !== 'unknown' || !outcome.code) return;
  throw new MigrationRefusedError(
    `${name} runs code outside a transaction, which may leave settings or temporary tables in a session of the pooler: connect to the server itself`,
  );
}

function isAtomic(outcome: Outcome): boolean {
  return outcome.kind === 'object' || (outcome.kind === 'unknown' && outcome.atomic);
}

async function wasDone(
  { tables: { progress, chain } }: Run,
  { migration: { name }, direction }: Step,
  session: Session,
  { outcome, index, sql }: { readonly outcome: Outcome; readonly index: number; readonly sql: string },
): Promise<boolean> {
  if (outcome.kind === 'idempotent') return false;
  if (outcome.kind === 'object') return (await exists(session, outcome)) === outcome.creates;
  const row = `where name = '${name.replaceAll("'", "''")}' and direction = '${direction}' and statement = ${index} and chain in ('', '${chain.replaceAll("'", "''")}')`;
  throw new MigratorError(
    'failed',
    `${name} stopped before statement ${index + 1}: it was sent before, it failed or was interrupted, and its outcome is unknown: ${sql}\n` +
      `See what it did. If it is complete, run: update ${progress} set done = true ${row};\n` +
      `If it must run again, run: delete from ${progress} ${row};\nThen retry.`,
  );
}

async function exists(session: Session, { type, name }: SharedObject): Promise<boolean> {
  const [row] = await session.query<{ exists: boolean }>(`select exists (${catalogs[type]}) as exists`, [
    name,
  ]);
  return row?.exists ?? false;
}

// The cast truncates a name as the server does.
const catalogs = {
  // An interrupted creation or drop may leave one that can't be used.
  database: 'select from pg_database where datname = $1::name and datconnlimit <> -2',
  tablespace: 'select from pg_tablespace where spcname = $1::name',
  subscription:
    'select from pg_subscription where subname = $1::name and subdbid = (select oid from pg_database where datname = current_database())',
  slot: 'select from pg_replication_slots where slot_name = $1::name',
};
