import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase, aScenarioNode } from '../../src/testing/index.ts';
import { insertBareRows } from './rows.ts';

describe('an exploration’s tree', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterAll(() => db.drop());

  const node = `insert into scenario_nodes (id, exploration_id, scorecard_params, depth, node_status)`;

  test.each([
    [
      'a second root',
      `${node} values ('root_2', 'explorations', '{}', 0, 'active')`,
      'uq_scenario_nodes_root',
    ],
    [
      'a second winner',
      `${node} values ('a', 'explorations', '{}', 1, 'winner'), ('b', 'explorations', '{}', 2, 'winner')`,
      'uq_scenario_nodes_winner',
    ],
  ])('does not take %s', (_, insert, constraint) =>
    db.rollback(async ({ em }) => {
      await insertBareRows(em);

      await expect(em.execute(insert)).rejects.toMatchObject({ cause: { code: '23505' }, constraint });
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
