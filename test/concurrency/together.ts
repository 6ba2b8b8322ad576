import { openDatabase, type Database } from '../../src/index.ts';
import type { TestDatabase } from '../../src/testing/index.ts';

/** `db` through a pool of its own, of `max` connections, under a name that tells them from others. */
export function openWith(db: TestDatabase, max: number, name = 'workers'): Promise<Database> {
  const { user, password, host, port, database } = db.target.parts;
  const [login, secret, path] = [user, password, database].map(encodeURIComponent);
  const url = `postgresql://${login}:${secret}@${host}:${port}/${path}?application_name=${name}`;
  // Those at the end of the queue wait for all before them.
  return openDatabase({ url, pool: { max, acquireTimeout: 60_000 } });
}

/** Starts `count` workers at once and gives what each gave, in their order. */
export function together<T>(count: number, work: (worker: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, worker) => work(worker)));
}

/** A place where `count` workers wait for each other before they go on. */
export function meeting(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let missing = count;
  return () => {
    missing -= 1;
    if (missing === 0) resolve();
    return promise;
  };
}
