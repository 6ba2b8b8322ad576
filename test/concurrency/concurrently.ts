import { openDatabase, type Database } from '../../src/index.ts';
import type { TestDatabase } from '../../src/testing/index.ts';

/** Opens `db` with a separate pool of `max` connections and an application name. */
export function openWithPool(db: TestDatabase, max: number, name = 'workers'): Promise<Database> {
  const { user, password, host, port, database } = db.target.parts;
  const [login, secret, path] = [user, password, database].map(encodeURIComponent);
  const url = `postgresql://${login}:${secret}@${host}:${port}/${path}?application_name=${name}`;
  // The last unit of work in the queue waits for all before it.
  return openDatabase({ url, pool: { max, acquireTimeout: 60_000 } });
}

/** Runs `count` workers concurrently and returns their results in order. */
export function concurrently<T>(count: number, work: (worker: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, worker) => work(worker)));
}

/** Returns a barrier, at which `count` workers wait for each other. */
export function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let missing = count;
  return () => {
    missing -= 1;
    if (missing === 0) resolve();
    return promise;
  };
}
