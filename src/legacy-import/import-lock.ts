import { setTimeout } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Database } from '../database/database.ts';
import { ImportRefusedError } from '../errors.ts';

// `synthdb import`, as a number of 63 bits that nobody else is likely to lock.
const lock = '7305803711239514989';
// Of an import that was killed, the server may still have a moment's work.
const wait = 3_000;

/**
 * Runs `work` while no other import into this database does. The lock is a transaction's that does nothing else, so that it works
 * through a pooler too, and ends with the process. What is imported stays right without it: it spares two imports each other's work.
 *
 * @throws ImportRefusedError when another import runs.
 */
export async function alone<T>(database: Database, work: () => Promise<T>): Promise<T> {
  const em = database.orm.em.fork();
  await em.begin();
  try {
    await em.execute('set local idle_in_transaction_session_timeout = 0');
    const deadline = Date.now() + wait;
    while (!(await isTaken(em))) {
      if (Date.now() >= deadline)
        throw new ImportRefusedError(
          `another import into this database is running${await holder(em)}: wait for its end`,
        );
      await setTimeout(100);
    }
    return await work();
  } finally {
    await em.rollback().catch(() => {});
  }
}

async function isTaken(em: EntityManager): Promise<boolean> {
  const [row]: { taken?: boolean }[] = await em.execute(`select pg_try_advisory_xact_lock(${lock}) as taken`);
  return row?.taken === true;
}

async function holder(em: EntityManager): Promise<string> {
  const [row]: { pid?: number }[] = await em.execute(
    `select pid from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())
     and (classid::bigint << 32 | objid::bigint) = ${lock} limit 1`,
  );
  return row?.pid === undefined ? '' : ` (server process ${row.pid})`;
}
