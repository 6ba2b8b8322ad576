import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContentionError, type Database, type UnitOfWork } from '../../src/index.ts';
import { TestDatabase, aScenarioNode, anExploration } from '../../src/testing/index.ts';
import { barrier, openWithPool, concurrently } from './concurrently.ts';

describe("units of work that PostgreSQL can't serialize", () => {
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

  test('have an exact sum when each is retried as often as needed', async () => {
    const id = await stored();

    await concurrently(20, async () => {
      for (let turn = 0; turn < 5; turn++) {
        await database.transact(
          async ({ explorations }) => {
            const exploration = await explorations.get(id);
            exploration.totalLlmCalls += 1;
          },
          { isolation: 'serializable', retries: 100 },
        );
      }
    });

    expect(await database.read(({ explorations }) => explorations.getSummary(id))).toMatchObject({
      totalLlmCalls: 100,
    });
  });

  test('preserve an invariant over several rows that each checks alone', async () => {
    const { exploration } = await db.transact(async ({ em }) => aScenarioNode(em));
    const checked = barrier(4);
    let first = 4;

    // Of the transactions that see no child, one may add it. The others fail at the commit, and see it in the retry.
    const added = await concurrently(4, () =>
      database.transact(
        async ({ scenarioNodes, em }) => {
          const before = await scenarioNodes.countByStatus(exploration.id);
          if (first-- > 0) await checked();
          if (before.active !== 1) return false;
          aScenarioNode(em, { exploration: exploration.id, depth: 1 });
          return true;
        },
        { isolation: 'serializable', retries: 100 },
      ),
    );

    expect(added.filter(Boolean)).toEqual([true]);
    expect(
      await database.read(({ scenarioNodes }) => scenarioNodes.countByStatus(exploration.id)),
    ).toMatchObject({ active: 2 });
  });

  test('are retried in a new unit of work, at most as often as requested', async () => {
    const id = await stored();
    const seen = new Set<UnitOfWork>();

    const lost = database.transact(
      async (uow) => {
        seen.add(uow);
        const exploration = await uow.explorations.get(id);
        await db.transact(({ explorations }) => explorations.recordLlmCalls(id, 1));
        exploration.currentDepth += 1;
      },
      { isolation: 'serializable', retries: 2 },
    );

    await expect(lost).rejects.toBeInstanceOf(ContentionError);
    expect(seen.size).toBe(3);
    expect(await database.read(({ explorations }) => explorations.getSummary(id))).toMatchObject({
      totalLlmCalls: 3,
      currentDepth: 0,
    });
  });

  test('are retried after a deadlock', async () => {
    const [one, other] = [await stored(), await stored()];
    const locked = barrier(2);
    let firstTries = 2;

    await concurrently(2, (worker) =>
      database.transact(
        async ({ explorations }) => {
          const [first, second] = worker === 0 ? [one, other] : [other, one];
          await explorations.recordLlmCalls(first, 1);
          if (firstTries-- > 0) await locked();
          await explorations.recordLlmCalls(second, 1);
        },
        { retries: 5 },
      ),
    );

    for (const id of [one, other]) {
      expect(await database.read(({ explorations }) => explorations.getSummary(id))).toMatchObject({
        totalLlmCalls: 2,
      });
    }
  });

  test('throw ContentionError without retries', async () => {
    const id = await stored();
    const loaded = barrier(2);

    const outcome = await concurrently(2, () =>
      database
        .transact(
          async ({ explorations }) => {
            const exploration = await explorations.get(id);
            await loaded();
            exploration.totalLlmCalls += 1;
          },
          { isolation: 'repeatable read' },
        )
        .catch((error: unknown) => error),
    );

    expect(outcome.filter((result) => result instanceof ContentionError)).toHaveLength(1);
    expect(await database.read(({ explorations }) => explorations.getSummary(id))).toMatchObject({
      totalLlmCalls: 1,
    });
  });
});
