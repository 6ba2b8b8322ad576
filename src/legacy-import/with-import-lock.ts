import { setTimeout } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Database } from '../database/database.ts';
import { ImportRefusedError } from '../errors.ts';

// The key of the advisory lock: a constant derived from `synthdb import`.
const lockKey = '7305803711239514989';
// In milliseconds. The server may still be finishing the work of an import that was killed.
const lockTimeout = 3_000;

/**
 * Runs `work` while holding an advisory lock against other imports into this database. An idle transaction holds it, which works through a
 * pooler and ends with the process. Correctness does not depend on it: it prevents two imports from doing the same work.
 *
 * @throws ImportRefusedError when another import holds the lock for 3 s.
 */
export async function withImportLock<T>(database: Database, work: () => Promise<T>): Promise<T> {
  const em = database.orm.em.fork();
  await em.begin();
  try {
    await em.execute('set local idle_in_transaction_session_timeout = 0');
    const deadline = Date.now() + lockTimeout;
    while (!(await tryLock(em))) {
      if (Date.now() >= deadline)
        throw new ImportRefusedError(
          `another import into this database is running${await describeHolder(em)}; wait until it has finished`,
        );
      await setTimeout(100);
    }
    return await work();
  } finally {
    await em.rollback().catch(() => {});
  }
}

async function tryLock(em: EntityManager): Promise<boolean> {
  const [row]: { taken?: boolean }[] = await em.execute(
    `select pg_try_advisory_xact_lock(${lockKey}) as taken`,
  );
  return row?.taken === true;
}

async function describeHolder(em: EntityManager): Promise<string> {
  const [row]: { pid?: number }[] = await em.execute(
    `select pid from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())
     and (classid::bigint << 32 | objid::bigint) = ${lockKey} limit 1`,
  );
  return row?.pid === undefined ? '' : ` (server process ${row.pid})`;
}
