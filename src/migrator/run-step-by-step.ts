import { backfillOf } from './backfill.ts';
import { queriesOf } from './emitted-migration.ts';
import { MigratorError } from './errors.ts';
import { placeOf, runBackfill, type Place } from './run-backfill.ts';
import { failed, keepBooks, serverTime, timeouts, watched, withLocks, type Run, type Step } from './run.ts';
import { inTransaction, onOwnConnection, poolSession, type OwnSession, type Session } from './session.ts';
import { standaloneKind, type Standalone } from './statement-kind.ts';
import type { Progress } from './state.ts';

/**
 * Runs a step that is not transactional, statement by statement, and keeps account of each, so that it is taken up where it stopped:
 * what may run in a transaction has one of its own together with its account; what can't stands alone.
 *
 * @throws MigratorError `failed`, `lock_lost`
 */
export async function runStepByStep(run: Run, step: Step, progress: readonly Progress[]): Promise<void> {
  const startedAt = await serverTime(poolSession(run.orm));
  const { migration, direction } = step;
  const mine = progress.filter((row) => row.name === migration.name && row.direction === direction);
  let at = 0;
  try {
    await onOwnConnection(run.orm, async (session) => {
      const own = await isDirect(session);
      if (own) await session.query(ownTimeouts(step));
      const worker: Worker = { session: own ? session : poolSession(run.orm), own };
      const statements = migration[direction]?.statements ?? (await askedStatements(run, step));
      for (const [index, sql] of statements.entries()) {
        const known = mine.find(({ statement }) => statement === index);
        if (known?.done) continue;
        at = index + 1;
        run.report({ kind: 'statement', name: migration.name, sql, number: at, count: statements.length });
        await runStatement(run, step, worker, { sql, index, known });
      }
    });
    await inTransaction(run.orm, async (session) => {
      await run.lease.guard(session, { migration: migration.name, direction });
      await keepBooks(session, run, step, startedAt);
      await session.query(`delete from ${run.tables.progress} where name = $1 and direction = $2`, [
        migration.name,
        direction,
      ]);
    });
  } catch (error) {
    if (error instanceof MigratorError) throw error;
    throw await failed(run, step, {
      error,
      startedAt,
      at: at === 0 ? '' : ` at statement ${at}`,
      remedy: 'The statements before it are done; the next `up` or `down` goes on from there.',
    });
  }
}

interface Worker {
  readonly session: Session;
  /** Whether it is one connection to the server itself. */
  readonly own: boolean;
}

interface Statement {
  readonly sql: string;
  readonly index: number;
  /** That it was sent before, by somebody who did not learn what became of it. */
  readonly known: Progress | undefined;
}

async function runStatement(run: Run, step: Step, worker: Worker, statement: Statement): Promise<void> {
  const batches = backfillOf(statement.sql);
  if (batches) {
    const place = statement.known?.place ?? null;
    return runBackfill(run, step, batches, {
      begun: place === null ? null : placeOf(place),
      keep: (session, reached, last) => account(session, run, step, statement.index, last, reached),
    });
  }
  const kind = standaloneKind(statement.sql);
  const work = { migration: step.migration.name, direction: step.direction };
  if (!kind) {
    await withLocks(run, work.migration, () =>
      inTransaction(run.orm, async (session) => {
        await session.query(timeouts(run, step));
        const backend = await run.lease.guard(session, work);
        await watched(run, work.migration, backend, () => session.query(statement.sql));
        await account(session, run, step, statement.index, true);
      }),
    );
    return;
  }
  await inTransaction(run.orm, async (session) => {
    await run.lease.guard(session, work);
    await account(session, run, step, statement.index, false);
  });
  const send = async (sql: string): Promise<void> => {
    const backend = await run.lease.record(worker.session, work, worker.own);
    await watched(run, work.migration, backend, () => worker.session.query(sql));
  };
  if (!(await isDoneAlready(kind, worker.session, statement, send))) await send(statement.sql);
  await inTransaction(run.orm, async (session) => {
    await run.lease.guard(session, work);
    await account(session, run, step, statement.index, true);
  });
}

/** Whether the server did a statement of which nobody heard again. Clears away what an interrupted one left. */
async function isDoneAlready(
  kind: Standalone,
  session: Session,
  { known }: Statement,
  send: (sql: string) => Promise<void>,
): Promise<boolean> {
  if (kind.kind === 'other' || kind.index === null) return false;
  const [index] = await session.query<{ valid: boolean }>(
    `select indisvalid and indisready as valid from pg_index where indexrelid = to_regclass($1)`,
    [kind.index],
  );
  if (kind.kind === 'drop index') return known !== undefined && !index;
  if (index?.valid === false) {
    await send(`drop index concurrently ${kind.index}`);
    return false;
  }
  return known !== undefined && index !== undefined;
}

async function account(
  session: Session,
  run: Run,
  step: Step,
  index: number,
  done: boolean,
  place?: Place,
): Promise<void> {
  const { name, checksum } = step.migration;
  await session.query(
    `insert into ${run.tables.progress} (name, direction, statement, checksum, done, place) values ($1, $2, $3, $4, $5, $6)
     on conflict (name, direction, statement) do update set done = excluded.done, place = excluded.place, at = clock_timestamp()`,
    [name, step.direction, index, checksum, done, place ? JSON.stringify(place) : null],
  );
}

/** A connection to the server itself is served by the process that it was told of; a pooler makes one up. */
async function isDirect(session: OwnSession): Promise<boolean> {
  const [row] = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
  return row?.pid === session.toldProcess;
}

/**
 * What a connection of its own begins with; nobody else gets it. A statement that can't run in a transaction stops neither readers nor
 * writers while it waits or works, and takes what it takes: it has limits only where its migration says so.
 */
export function ownTimeouts({ migration: { settings } }: Step): string {
  return `set lock_timeout = '${settings.lockTimeout ?? 0}ms'; set statement_timeout = '${settings.statementTimeout ?? 0}ms'`;
}

async function askedStatements({ orm }: Run, { migration, direction }: Step): Promise<string[]> {
  const instance = await migration.file.make();
  await instance[direction]();
  return queriesOf(orm, instance);
}
