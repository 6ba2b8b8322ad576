import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/index.ts';
import { TestDatabase, anExploration } from '../../src/testing/index.ts';
import { openWithPool, concurrently } from './concurrently.ts';

describe('counters, by twenty workers on four connections', () => {
  let db: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    database = await openWithPool(db, 4);
  });
  afterAll(async () => {
    await database.close();
    await db.drop();
  });

  const stored = (): Promise<string> => db.transact(async ({ em }) => anExploration(em).id);

  test('have an exact sum, and each call returns a different total', async () => {
    const id = await stored();

    const totals = await concurrently(20, async () => {
      const mine: number[] = [];
      for (let call = 0; call < 50; call++) {
        mine.push(await database.transact(({ explorations }) => explorations.recordLlmCalls(id, 1)));
      }
      return mine;
    });

    const expected = Array.from({ length: 1_000 }, (_, n) => n + 1);
    expect(totals.flat().toSorted((a, b) => a - b)).toEqual(expected);
    expect(await database.transact(({ explorations }) => explorations.get(id))).toMatchObject({
      totalLlmCalls: 1_000,
      rowVersion: 1_001,
    });
  });

  test('keep the deepest level and the best rate of all reports', async () => {
    const id = await stored();

    await concurrently(20, (worker) =>
      database.transact(({ explorations }) =>
        explorations.recordProgress(id, {
          nodes: 2,
          depth: (worker * 7) % 20,
          successRate: ((worker * 3) % 20) / 20,
        }),
      ),
    );

    expect(await database.read(({ explorations }) => explorations.getSummary(id))).toMatchObject({
      totalNodes: 40,
      currentDepth: 19,
      bestSuccessRate: 0.95,
    });
  });

  test('end an exploration once', async () => {
    const id = await stored();

    const ended = await concurrently(20, () =>
      database.transact(({ explorations }) => explorations.finish(id, 'cost_limit_reached')),
    );

    expect(ended.filter(Boolean)).toEqual([true]);
  });
});
