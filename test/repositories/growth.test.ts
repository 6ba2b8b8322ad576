import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { UnitOfWork } from '../../src/index.ts';
import { anExploration, TestDatabase } from '../../src/testing/index.ts';
import { ranBy, rowsReadOf, type Node, type Sent } from './plan.ts';

// What a statement reads must not grow with rows that it does not give: asserted by the plan that ran, not by time.

const experiments = 3_000;
const query = vi.spyOn(Client.prototype, 'query');
let db: TestDatabase;
let exploration: string;
beforeAll(async () => {
  db = await TestDatabase.create();
  await db.transact(async ({ em }) => {
    exploration = anExploration(em).id;
    await em.flush();
    await em.execute(`
      insert into experiments (id, name, hypothesis, created_at, updated_at)
        select 'exp_' || i, 'n' || i, 'h', now() - i * interval '1 second', case when i % 2 = 0 then now() - i * interval '1 hour' end
        from generate_series(1, ${experiments}) i`);
    await em.execute(`
      insert into analysis_runs (id, experiment_id, config, status, started_at)
        select 'ana_' || i, 'exp_' || i, '{}', case when i % 1000 = 0 then 'pending' else 'completed' end, now() - i * interval '1 second'
        from generate_series(1, ${experiments}) i`);
    await em.execute(`
      insert into research_executions (exec_id, experiment_id, topic_name, status, started_at)
        select 'exec_' || i, 'exp_' || i, 't' || i, case when i % 1000 = 0 then 'pending' when i % 2 = 0 then 'failed' else 'completed' end, now() - i * interval '1 second'
        from generate_series(1, ${experiments}) i`);
    await em.execute(`insert into synth_groups (id, name) values ('grp_1', 'g')`);
    await em.execute(`
      insert into synths (id, synth_group_id, nome, created_at)
        select 'syn_' || i, 'grp_1', 'n' || i % 7, now() - i * interval '1 second' from generate_series(1, ${experiments}) i`);
    await em.execute(
      `insert into scenario_nodes (id, exploration_id, parent_id, depth, scorecard_params, created_at)
        select 'node_' || i, ?, case when i > 1 then 'node_' || i - 1 end, i, '{}', now() from generate_series(1, ${experiments}) i`,
      [exploration],
    );
  });
  await db.orm.em.fork().execute('vacuum analyze');
});
afterAll(async () => {
  query.mockRestore();
  await db.drop();
});

/** Returns the statement that `call` sends. */
async function sent(call: (uow: UnitOfWork) => Promise<unknown>): Promise<Sent> {
  const statements: Sent[] = [];
  await db.transact(async (uow) => {
    query.mockClear();
    await call(uow);
    for (const [given, values] of query.mock.calls) {
      // A statement with a name is one object.
      const { text, values: own }: Partial<Sent> = Object(given);
      statements.push({ text: text ?? given, values: [own ?? values].flat() });
    }
  });
  const [only, ...more] = statements;
  expect(more).toEqual([]);
  return only ?? { text: '', values: [] };
}

const run = async (call: (uow: UnitOfWork) => Promise<unknown>, settings?: string): Promise<Node[]> =>
  ranBy(db.url, await sent(call), settings);
// A tree that is the whole table is read faster by a scan and a sort.
const withoutSort = 'set enable_sort = off; set enable_seqscan = off; set enable_bitmapscan = off';
const isSort = (node: Node): boolean => node['Node Type'].endsWith('Sort');

describe('reads about as many rows as it gives', () => {
  test.each<[name: string, table: string, most: number, call: (uow: UnitOfWork) => Promise<unknown>]>([
    [
      'experiments by their last change',
      'experiments',
      51,
      ({ experiments: all }) => all.scrollSummaries({ sortBy: 'updatedAt' }),
    ],
    [
      'executions by status',
      'research_executions',
      51,
      ({ researchExecutions }) => researchExecutions.scrollSummaries({ sortBy: 'status' }),
    ],
    [
      'synths of a group by name',
      'synths',
      51,
      ({ synths }) => synths.scrollSummaries({ group: 'grp_1', sortBy: 'name' }),
    ],
    ['the next pending run', 'analysis_runs', 2, ({ analysisRuns }) => analysisRuns.lockNextPending()],
    [
      'the next pending execution',
      'research_executions',
      2,
      ({ researchExecutions }) => researchExecutions.lockNextPending(),
    ],
    [
      'a page without a total',
      'experiments',
      51,
      ({ experiments: all }) => all.pageSummaries({ total: 'none' }),
    ],
    // The synths of the page, and those that are counted, once.
    [
      'a group with its synths',
      'synths',
      experiments + 51,
      ({ synthGroups }) => synthGroups.findDetail('grp_1'),
    ],
  ])('%s', async (_, table, most, call) => {
    const nodes = await run(call);

    expect(rowsReadOf(table, nodes)).toBeGreaterThan(0);
    expect(rowsReadOf(table, nodes)).toBeLessThanOrEqual(most);
    expect(nodes.filter(isSort)).toEqual([]);
  });
});

describe('a tree', () => {
  test.each<[name: string, call: (uow: UnitOfWork) => Promise<unknown>]>([
    ['can be listed without a sort', ({ scenarioNodes }) => scenarioNodes.listByExploration(exploration)],
    [
      'can have its children listed without a sort',
      ({ scenarioNodes }) => scenarioNodes.listChildren('node_1'),
    ],
  ])('%s', async (_, call) => {
    expect((await run(call, withoutSort)).filter(isSort)).toEqual([]);
  });

  test('has a path that takes memory by its length, not by its square', async () => {
    const nodes = await run(({ scenarioNodes }) => scenarioNodes.listPath(`node_${experiments}`));

    expect(nodes.some((node) => node['Node Type'] === 'Recursive Union')).toBe(true);
    expect(nodes.filter((node) => (node['Temp Written Blocks'] ?? 0) > 0)).toEqual([]);
  });

  test('has paths into a cycle of any length, each node once', () =>
    db.rollback(async ({ scenarioNodes, em }) => {
      for (const length of [1, 2, 3, 4, 7, 8, 9, 31]) {
        // oxlint-disable-next-line no-await-in-loop -- each cycle is another tree
        await em.execute(`update scenario_nodes set parent_id = 'node_${length}' where id = 'node_1'`);
        for (const from of [1, 2, length, length + 1, length + 2, length + 5, length + 40]) {
          // The walk goes down to node 1, then to the end of the cycle, and on to where it began.
          const below = Array.from({ length: Math.min(from, 3_000) }, (_, index) => from - index);
          const round = Array.from({ length: Math.max(0, length - from) }, (_, index) => length - index);
          const expected = [...below, ...round].toReversed().map((node) => `node_${node}`);
          // oxlint-disable-next-line no-await-in-loop -- as above
          const path = await scenarioNodes.listPath(`node_${from}`);
          expect(path.map(({ id }) => id)).toEqual(expected);
        }
      }
    }));
});
