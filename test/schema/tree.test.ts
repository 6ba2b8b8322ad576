import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase, aScenarioNode } from '../../src/testing/index.ts';

describe('an exploration’s tree', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterAll(() => db.drop());

  test.each([
    ['a second root', { depth: 0 }, 'uq_scenario_nodes_root'],
    ['a second winner', { nodeStatus: 'winner', depth: 2 }, 'uq_scenario_nodes_winner'],
  ] as const)('does not take %s', (_, second, constraint) =>
    db.rollback(async ({ em }) => {
      const parent = aScenarioNode(em);
      aScenarioNode(em, { parent, nodeStatus: 'winner' });
      await em.flush();
      aScenarioNode(em, { exploration: parent.exploration, ...second });

      await expect(em.flush()).rejects.toMatchObject({ cause: { code: '23505' }, constraint });
      em.clear();
    }),
  );

  test('has a root and a winner of its own, next to those of other explorations', () =>
    db.rollback(async ({ em }) => {
      for (const root of [aScenarioNode(em), aScenarioNode(em)]) {
        aScenarioNode(em, { parent: root, nodeStatus: 'winner' });
        aScenarioNode(em, { parent: root });
        aScenarioNode(em, { parent: root });
      }

      await expect(em.flush()).resolves.toBeUndefined();
    }));
});
