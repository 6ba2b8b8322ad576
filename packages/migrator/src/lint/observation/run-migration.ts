import type { MikroORM } from '@mikro-orm/postgresql';
import { parseBackfill } from '../../files/backfill.ts';
import type { Direction, LoadedMigration } from '../../files/code-migration.ts';
import { refuseUnfitStatements } from '../../files/refuse-unfit-statements.ts';
import { transactionTimeouts, type Limits } from '../../run/context/limits.ts';
import { findStandalone } from '../../run/send-standalone.ts';
import { guardedTransaction } from '../../session/guarded-transaction.ts';
import { withSessionRestored } from '../../session/restore-session.ts';
import { inTransaction, poolSession, type Session } from '../../session/session.ts';
import type { Recorder } from './recorder.ts';

/** A direction of a migration to run on a scratch database. */
export interface ScratchStep {
  readonly migration: LoadedMigration;
  readonly direction: Direction;
  readonly limits: Limits;
  /** Observes each statement; null for none. */
  readonly recorder: Recorder | null;
  /** Whether a migration in one transaction is rolled back at its end. */
  readonly isTrial: boolean;
}

/**
 * Runs a direction of a migration on a scratch database as `up` and `down` do, without their bookkeeping.
 *
 * @throws MigrationRefusedError for statements that the migrator can't run; and what the code and the server throw.
 */
export async function runMigration(orm: MikroORM, step: ScratchStep): Promise<void> {
  await (step.migration.transactional ? runTransactional(orm, step) : runStatements(orm, step));
}

class Rollback extends Error {}

async function runTransactional(
  orm: MikroORM,
  { migration, direction, limits, recorder, isTrial }: ScratchStep,
): Promise<void> {
  const sent: string[] = [];
  const work = inTransaction(orm, (session) =>
    withSessionRestored(session, sent, async (learn) => {
      await begin(session, migration, limits);
      const guard = async (sql: string): Promise<void> => {
        await refuseUnfitStatements(migration, [sql]);
        await learn([sql]);
        await recorder?.expect(session, sql, true);
      };
      const { statements } = await migration.call(direction, guard, (instance, guarded) =>
        instance.setTransactionContext(guardedTransaction(session.transaction, guarded)),
      );
      await recorder?.finish();
      await refuseUnfitStatements(migration, statements);
      await learn(statements);
      for (const [index, sql] of statements.entries()) await send(session, recorder, sql, index + 1);
      if (isTrial) throw new Rollback();
    }),
  );
  await work.catch((error: unknown) => {
    if (!(error instanceof Rollback)) throw error;
  });
}

async function runStatements(
  orm: MikroORM,
  { migration, direction, limits, recorder }: ScratchStep,
): Promise<void> {
  const pool = poolSession(orm);
  const guard = async (sql: string): Promise<void> => {
    await refuseUnfitStatements(migration, [sql]);
    await recorder?.expect(pool, sql, false);
  };
  const { statements } = await migration.call(direction, guard, (instance, guarded) => {
    const execute = instance.execute.bind(instance);
    instance.execute = async (...given) => {
      const [query] = given;
      await guarded(typeof query === 'string' ? query : 'toRaw' in query ? query.toRaw().sql : query.sql);
      return execute(...given);
    };
  });
  await recorder?.finish();
  await refuseUnfitStatements(migration, statements);
  for (const [index, sql] of statements.entries()) {
    const isAlone = parseBackfill(sql) === null && (await findStandalone(pool, sql)) !== null;
    if (isAlone) {
      await (recorder ? recorder.sendAlone(pool, { sql, number: index + 1 }) : pool.query(sql));
      continue;
    }
    await inTransaction(orm, (session) =>
      withSessionRestored(session, [sql], async () => {
        await begin(session, migration, limits);
        await send(session, recorder, sql, index + 1);
      }),
    );
  }
}

async function begin(session: Session, migration: LoadedMigration, limits: Limits): Promise<void> {
  await session.query(transactionTimeouts(limits, { migration, direction: 'up', statements: null }));
  await session.query('set local client_min_messages = debug1');
}

async function send(session: Session, recorder: Recorder | null, sql: string, number: number): Promise<void> {
  // In batches it locks few rows at a time.
  const isObserved = recorder !== null && parseBackfill(sql) === null;
  await (isObserved ? recorder.sendInTransaction(session, { sql, number }) : session.query(sql));
}
