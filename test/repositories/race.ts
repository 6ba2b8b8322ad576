import type { UnitOfWork } from '../../src/index.ts';
import type { TestDatabase } from '../../src/testing/index.ts';

/** Runs `second` while `first` is done but not committed; `first` commits when `second` waits for it, or has ended without. */
export async function race<One, Other>(
  db: TestDatabase,
  first: (uow: UnitOfWork) => Promise<One>,
  second: (uow: UnitOfWork) => Promise<Other>,
): Promise<[first: One, second: Other]> {
  const started = Promise.withResolvers<{ other: Promise<Other> }>();
  const one = await db.transact(async (uow) => {
    const result = await first(uow);
    const other = db.transact(second);
    started.resolve({ other });
    const ended = other.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([ended, somebodyWaits(db)])));
    return result;
  });
  const { other } = await started.promise;
  return [one, await other];
}

async function somebodyWaits(db: TestDatabase): Promise<boolean> {
  const waiting = await db.orm.em
    .fork()
    .execute(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
  return waiting.length > 0;
}
