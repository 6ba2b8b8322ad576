import type { Session } from '../../session/session.ts';

/** Runs `work` in a savepoint that is rolled back, so that it leaves nothing and its error ends nothing. */
export async function inSavepoint<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query('savepoint migrator_precheck');
  try {
    return await work();
  } finally {
    await session.query('rollback to savepoint migrator_precheck; release savepoint migrator_precheck');
  }
}
