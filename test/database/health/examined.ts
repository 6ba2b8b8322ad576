/* oxlint-disable vitest/no-standalone-expect -- called by tests alone */
import { expect } from 'vitest';
import type { Database, DatabaseHealth } from '../../../src/index.ts';

/** Milliseconds that a health check gets. */
export const timeout = 1_000;

/** The health of `database`, which must come within the timeout. A machine that has much else to do is a little late. */
export async function examined(database: Database): Promise<DatabaseHealth> {
  const begun = performance.now();
  const health = await database.health({ timeout });
  expect(performance.now() - begun).toBeLessThan(timeout + 400);
  return health;
}

/** Begins `count` units of work of `database`, waits until `atOnce` of them run `statement`, and answers how to end all. */
export async function busy(
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
