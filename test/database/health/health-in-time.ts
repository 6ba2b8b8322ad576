/* oxlint-disable vitest/no-standalone-expect -- called by tests alone */
import { expect } from 'vitest';
import type { Database, DatabaseHealth } from '../../../src/index.ts';

/** The timeout of a health check, in milliseconds. */
export const timeout = 1_000;

/** Returns the health of `database`, which must arrive within the timeout, and a tolerance for a busy machine. */
export async function healthInTime(database: Database): Promise<DatabaseHealth> {
  const begun = performance.now();
  const health = await database.health({ timeout });
  expect(performance.now() - begun).toBeLessThan(timeout + 400);
  return health;
}

/** Begins `count` units of work of `database`, waits until `atOnce` of them run `statement`, and returns a function that ends all. */
export async function occupyConnections(
  database: Database,
  count: number,
  statement: string,
  atOnce = count,
): Promise<() => Promise<void>> {
  const caller = new AbortController();
  let running = 0;
  const units = Array.from({ length: count }, () =>
    database
      .transact(
        async ({ em }) => {
          await em.execute('select 1');
          running += 1;
          await em.execute(statement);
        },
        { signal: caller.signal },
      )
      .catch(() => {}),
  );
  await expect.poll(() => running, { timeout: 10_000 }).toBe(atOnce);
  return async () => {
    caller.abort();
    await Promise.all(units);
  };
}
