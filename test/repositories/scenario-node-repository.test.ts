import { ref } from '@mikro-orm/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScenarioNode } from '../../src/entities.ts';
import { DuplicateError, InvalidJsonError, NotFoundError, type UnitOfWork } from '../../src/index.ts';
import { TestDatabase, aScenarioNode, anExploration } from '../../src/testing/index.ts';

describe('ScenarioNodeRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('a new node is an active root with a key of its own', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const exploration = anExploration(em);
      const node = scenarioNodes.add({ exploration, scorecardParams: params });

      expect(await scenarioNodes.listByExploration(exploration.id)).toEqual([
        {
          id: expect.stringMatching(/^node_/),
          explorationId: exploration.id,
          parentId: null,
          depth: 0,
          actionApplied: null,
          actionCategory: null,
          rationale: null,
          shortAction: null,
          scorecardParams: params,
          simulationResults: null,
          executionTimeSeconds: null,
          nodeStatus: 'active',
          createdAt: expect.any(Date),
        },
      ]);
      expect(node.id).toMatch(/^node_/);
    }));

  test('an exploration takes one root and one winner', async () => {
    const parent = await db.transact(async ({ em }) => aScenarioNode(em));
    const exploration = parent.exploration.id;

    const root = db.transact(
      async ({ scenarioNodes }) => void scenarioNodes.add({ exploration, scorecardParams: params }),
    );
    await expect(root).rejects.toMatchObject({ constraint: 'uq_scenario_nodes_root' });
    const winners = db.transact(async ({ scenarioNodes }) => {
      const child = { exploration, parent: parent.id, depth: 1, scorecardParams: params };
      const keys = [scenarioNodes.add(child).id, scenarioNodes.add(child).id];
      await scenarioNodes.saveStatusBatch(keys, 'winner');
    });
    await expect(winners).rejects.toBeInstanceOf(DuplicateError);
    await expect(winners).rejects.toMatchObject({ constraint: 'uq_scenario_nodes_winner' });
  });

  test('find gives null where get refuses', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const node = aScenarioNode(em);
      aScenarioNode(em, { parent: node });

      expect(await scenarioNodes.find(node.id)).toBe(node);
      expect(await scenarioNodes.get(node.id)).toBe(node);
      expect(await scenarioNodes.find('node_missing')).toBeNull();
      await expect(scenarioNodes.get('node_missing')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('getSummary shows one node, unflushed changes included', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const node = aScenarioNode(em);
      aScenarioNode(em, { parent: node });
      await em.flush();
      node.shortAction = 'One tap';

      expect(await scenarioNodes.getSummary(node.id)).toMatchObject({ id: node.id, shortAction: 'One tap' });
      await expect(scenarioNodes.getSummary('node_missing')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('findRoot and findWinner give those of one exploration, or null', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      aScenarioNode(em, { nodeStatus: 'winner' });
      const exploration = anExploration(em);
      expect(await scenarioNodes.findRoot(exploration.id)).toBeNull();

      const child = aScenarioNode(em, { exploration, depth: 1 });
      expect(await scenarioNodes.findRoot(exploration.id)).toBeNull();
      const root = aScenarioNode(em, { exploration });
      child.parent = ref(root);

      expect(await scenarioNodes.findRoot(exploration.id)).toBe(root);
      expect(await scenarioNodes.findWinner(exploration.id)).toBeNull();
      child.nodeStatus = 'winner';
      expect(await scenarioNodes.findWinner(exploration.id)).toBe(child);
    }));

  test('findBestSummary gives the highest success rate, of whatever status', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      aScenarioNode(em, { simulationResults: rates(0.99) });
      const root = aScenarioNode(em, { simulationResults: rates(0.5) });
      const best = aScenarioNode(em, {
        parent: root,
        simulationResults: rates(0.75),
        nodeStatus: 'dominated',
        executionTimeSeconds: 1.5,
        actionApplied: 'a',
        actionCategory: 'flow',
        rationale: 'r',
        shortAction: 's',
      });
      aScenarioNode(em, { parent: root, simulationResults: rates(0.7) });
      aScenarioNode(em, { parent: root });

      expect(await scenarioNodes.findBestSummary(root.exploration.id)).toEqual({
        id: best.id,
        explorationId: root.exploration.id,
        parentId: root.id,
        depth: 1,
        actionApplied: 'a',
        actionCategory: 'flow',
        rationale: 'r',
        shortAction: 's',
        scorecardParams: expect.any(Object),
        simulationResults: rates(0.75),
        executionTimeSeconds: 1.5,
        nodeStatus: 'dominated',
        createdAt: expect.any(Date),
      });
    }));

  test('findBestSummary prefers the nearest to the root, then the oldest, then the lowest key', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const parent = aScenarioNode(em);
      const exploration = parent.exploration;
      for (const [id, depth, second] of [
        ['a', 2, 0],
        ['b', 1, 2],
        ['d', 1, 1],
        ['c', 1, 1],
      ] as const) {
        aScenarioNode(em, {
          id: `node_${id}`,
          exploration,
          parent,
          depth,
          createdAt: at(second),
          simulationResults: rates(0.5),
        });
      }

      const best = async (): Promise<string | undefined> =>
        (await scenarioNodes.findBestSummary(exploration.id))?.id.slice(5);

      expect(await best()).toBe('c');
      await scenarioNodes.saveSimulation('node_c', null, null);
      expect(await best()).toBe('d');
      await scenarioNodes.saveSimulation('node_d', null, null);
      expect(await best()).toBe('b');
      await scenarioNodes.saveSimulation('node_b', rates(0.4), 1);
      expect(await best()).toBe('a');
    }));

  test('findBestSummary gives null where nothing was simulated', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const node = aScenarioNode(em);
      await em.flush();

      expect(await scenarioNodes.findBestSummary(node.exploration.id)).toBeNull();
      await em.execute(`update scenario_nodes set simulation_results = '{}'`);
      expect(await scenarioNodes.findBestSummary(node.exploration.id)).toBeNull();
    }));

  test('lists of one exploration: by level or frontier, oldest first, then by key', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const { exploration, parentOf } = tree(em);
      aScenarioNode(em);
      await em.flush();

      expect(letters(await scenarioNodes.listByExploration(exploration))).toBe('xbcfgaed');
      expect(letters(await scenarioNodes.listFrontier(exploration))).toBe('edbcfga');
      expect(letters(await scenarioNodes.listChildren(parentOf.a))).toBe('bcfga');
      expect(letters(await scenarioNodes.listChildren(parentOf.d))).toBe('ed');
      expect(await scenarioNodes.listByExploration('expl_missing')).toEqual([]);
      expect(await scenarioNodes.listFrontier('expl_missing')).toEqual([]);
      expect(await scenarioNodes.listChildren('node_missing')).toEqual([]);
    }));

  test('listFrontier leaves out nodes that are not active, unflushed changes included', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const root = aScenarioNode(em);
      for (const nodeStatus of ['winner', 'dominated', 'expansion_failed'] as const) {
        aScenarioNode(em, { parent: root, nodeStatus });
      }
      const [one, other] = [aScenarioNode(em, { parent: root }), aScenarioNode(em, { parent: root })];
      await em.flush();
      one.nodeStatus = 'dominated';

      const frontier = await scenarioNodes.listFrontier(root.exploration.id);

      expect(frontier.map(({ id }) => id)).toEqual([other.id, root.id]);
    }));

  test('listPath gives the nodes from the root to the one, and no others', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const root = aScenarioNode(em, { id: 'node_z' });
      const middle = aScenarioNode(em, { id: 'node_b', parent: root });
      aScenarioNode(em, { id: 'node_c', parent: root });
      const leaf = aScenarioNode(em, { id: 'node_m', parent: middle });
      aScenarioNode(em, { id: 'node_a', parent: leaf });

      expect(letters(await scenarioNodes.listPath(leaf.id))).toBe('zbm');
      expect(letters(await scenarioNodes.listPath('node_z'))).toBe('z');
      expect(await scenarioNodes.listPath('node_missing')).toEqual([]);
      expect((await scenarioNodes.listPath(leaf.id)).at(-1)).toMatchObject({
        explorationId: root.exploration.id,
        parentId: middle.id,
        depth: 2,
        createdAt: expect.any(Date),
      });
    }));

  test('listPath starts below a parent that was removed', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const root = aScenarioNode(em);
      const child = aScenarioNode(em, { parent: root });
      const leaf = aScenarioNode(em, { parent: child });
      await em.flush();

      await em.execute('delete from scenario_nodes where id = ?', [root.id]);

      expect((await scenarioNodes.listPath(leaf.id)).map(({ id }) => id)).toEqual([child.id, leaf.id]);
    }));

  test('listPath walks a circle of parents once', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const a = aScenarioNode(em, { id: 'node_a' });
      const b = aScenarioNode(em, { id: 'node_b', parent: a });
      aScenarioNode(em, { id: 'node_c', parent: b });
      aScenarioNode(em, { id: 'node_s', parent: a });
      await em.flush();
      await em.execute(`update scenario_nodes set parent_id = 'node_c' where id = 'node_a'`);
      await em.execute(`update scenario_nodes set parent_id = id where id = 'node_s'`);

      expect(letters(await scenarioNodes.listPath('node_c'))).toBe('abc');
      expect(letters(await scenarioNodes.listPath('node_b'))).toBe('cab');
      expect(letters(await scenarioNodes.listPath('node_s'))).toBe('s');
    }));

  test('countByStatus counts one exploration, with all four statuses', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const root = aScenarioNode(em);
      aScenarioNode(em, { parent: root, nodeStatus: 'winner' });
      aScenarioNode(em, { parent: root, nodeStatus: 'dominated' });
      const last = aScenarioNode(em, { parent: root, nodeStatus: 'dominated' });
      aScenarioNode(em, { nodeStatus: 'dominated' });
      await em.flush();

      const counts = { active: 1, dominated: 2, winner: 1, expansion_failed: 0 };
      expect(await scenarioNodes.countByStatus(root.exploration.id)).toEqual(counts);
      last.nodeStatus = 'expansion_failed';
      expect(await scenarioNodes.countByStatus(root.exploration.id)).toEqual({
        ...counts,
        dominated: 1,
        expansion_failed: 1,
      });
      const none = { active: 0, dominated: 0, winner: 0, expansion_failed: 0 };
      expect(await scenarioNodes.countByStatus('expl_missing')).toEqual(none);
    }));

  test('update changes what is given, leaves what is absent, clears what is null', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const node = aScenarioNode(em, { simulationResults: rates(0.5), executionTimeSeconds: 2 });
      await em.flush();
      const now = async (): Promise<object | undefined> =>
        (await scenarioNodes.listByExploration(node.exploration.id))[0];
      const before = await now();

      await scenarioNodes.update(node.id, { simulationResults: undefined, nodeStatus: undefined });
      expect(await now()).toEqual(before);
      await scenarioNodes.update(node.id, { simulationResults: null });
      expect(await now()).toEqual({ ...before, simulationResults: null });
      await scenarioNodes.update(node.id, { executionTimeSeconds: null, nodeStatus: 'dominated' });
      await scenarioNodes.update(node.id, { scorecardParams: { ...params, complexity: 0.9 } });
      expect(await now()).toEqual({
        ...before,
        scorecardParams: { ...params, complexity: 0.9 },
        simulationResults: null,
        executionTimeSeconds: null,
        nodeStatus: 'dominated',
      });
      await expect(scenarioNodes.update('node_missing', {})).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('saveSimulation stores and clears what a simulation gave, in loaded entities too', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const node = aScenarioNode(em);
      const other = aScenarioNode(em, { parent: node });

      await scenarioNodes.saveSimulation(node.id, rates(0.25), 1.5);
      expect(node).toMatchObject({ simulationResults: rates(0.25), executionTimeSeconds: 1.5 });
      expect(await scenarioNodes.findBestSummary(node.exploration.id)).toMatchObject({ id: node.id });
      await scenarioNodes.saveSimulation(node.id, null, null);
      expect(node).toMatchObject({ simulationResults: null, executionTimeSeconds: null });
      expect(await scenarioNodes.listChildren(node.id)).toMatchObject([
        { id: other.id, simulationResults: null },
      ]);
    }));

  test('saveSimulation refuses a missing node, and rates that do not sum to one', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const node = aScenarioNode(em);

      const missing = scenarioNodes.saveSimulation('node_missing', rates(0.5), 1);
      await expect(missing).rejects.toBeInstanceOf(NotFoundError);
      const unequal = { success_rate: 0.5, fail_rate: 0.1, did_not_try_rate: 0.1 };
      const refused = scenarioNodes.saveSimulation(node.id, unequal, 1);
      await expect(refused).rejects.toBeInstanceOf(InvalidJsonError);
    }));

  test('saveStatusBatch changes the nodes it is given and no others, in loaded entities too', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const parent = aScenarioNode(em);
      const a = aScenarioNode(em, { id: 'node_a', parent });
      const b = aScenarioNode(em, { id: 'node_b', parent });
      const c = aScenarioNode(em, { id: 'node_c', parent });
      await em.flush();
      a.shortAction = 'not flushed';

      await scenarioNodes.saveStatusBatch(['node_a', 'node_c', 'node_a'], 'dominated');
      await scenarioNodes.saveStatusBatch([], 'winner');

      const frontier = await scenarioNodes.listFrontier(parent.exploration.id);
      expect(frontier.map(({ id }) => id)).toEqual(['node_b', parent.id]);
      expect([a, b, c].map((node) => node.nodeStatus)).toEqual(['dominated', 'active', 'dominated']);
      expect(a.shortAction).toBe('not flushed');
      a.nodeStatus = 'active';
      expect(await scenarioNodes.countByStatus(parent.exploration.id)).toMatchObject({ active: 3 });
    }));

  test('saveStatusBatch names the nodes that are missing', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      const { id } = aScenarioNode(em);

      const change = scenarioNodes.saveStatusBatch(['node_gone', id, 'node_away'], 'dominated');

      await expect(change).rejects.toBeInstanceOf(NotFoundError);
      await expect(change).rejects.toMatchObject({ key: ['node_gone', 'node_away'] });
    }));
});

const params = { complexity: 0.5, initial_effort: 0.4, perceived_risk: 0.3, time_to_value: 0.2 };

function rates(success: number): { success_rate: number; fail_rate: number; did_not_try_rate: number } {
  return { success_rate: success, fail_rate: 1 - success, did_not_try_rate: 0 };
}

/**
 * A root `x`; below it `b`, `c`, `f` and `g`, of one age, and the younger `a`; below that `e` and the younger `d`. Stored in another
 * order.
 */
function tree(em: UnitOfWork['em']): { exploration: string; parentOf: { a: string; d: string } } {
  const exploration = anExploration(em);
  const node = (letter: string, depth: number, second: number): ScenarioNode =>
    aScenarioNode(em, { id: `node_${letter}`, exploration, depth, createdAt: at(second) });
  const [d, g, c, e] = [node('d', 2, 5), node('g', 1, 2), node('c', 1, 2), node('e', 2, 4)];
  const [a, x, f, b] = [node('a', 1, 3), node('x', 0, 9), node('f', 1, 2), node('b', 1, 2)];
  for (const child of [a, b, c, f, g]) child.parent = ref(x);
  for (const child of [d, e]) child.parent = ref(a);
  x.nodeStatus = 'expansion_failed';
  return { exploration: exploration.id, parentOf: { a: x.id, d: a.id } };
}

function letters(nodes: readonly { id: string }[]): string {
  return nodes.map(({ id }) => id.slice(5)).join('');
}

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
