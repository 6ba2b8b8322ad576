import { raw } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ScenarioNode, type Exploration } from '../../../../src/entities.ts';
import { ContentionError, openDatabase, type Database } from '../../../../src/index.ts';
import { TestDatabase, aScenarioNode, anExperiment, anExploration } from '../../../../src/testing/index.ts';
import { WireProxy } from '../../../proxy/wire-proxy.ts';

const size = 20;
const inKeyOrder = { orderBy: { id: 'asc' } } as const;

/** The expected values of the changed columns of a row. */
const values = (index: number) => ({
  depth: index + 1,
  actionApplied: index % 2 === 0 ? null : `it's $1 ? \\ ${index} 😀`,
  rationale: null,
  simulationResults: { success_rate: 0.5, fail_rate: 0.3, did_not_try_rate: 0.2, note: `n'${index}` },
  executionTimeSeconds: index / 3,
  nodeStatus: index % 2 === 0 ? ('dominated' as const) : ('expansion_failed' as const),
  createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, index, index)),
});

describe('a flush of many changed rows', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let database: Database;
  let parent: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
    proxy = await WireProxy.start(db.target);
    database = await openDatabase({ url: proxy.url(), pool: { max: 1 } });
  });
  afterAll(async () => {
    await database.close();
    await proxy.close();
    await db.drop();
  });
  beforeEach(async () => {
    await db.orm.em.fork().execute('delete from experiments');
    await db.transact(async ({ em }) => {
      const root = aScenarioNode(em);
      parent = root.id;
      for (let i = 0; i < size; i++) aScenarioNode(em, { parent: root, rationale: "it's $1 ? \\ 'x'" });
    });
    proxy.reset();
  });

  const updates = (): string[] => proxy.statements.filter((statement) => statement.startsWith('update'));
  const stored = (): Promise<ScenarioNode[]> => db.orm.em.fork().find(ScenarioNode, { parent }, inKeyOrder);

  /** Changes the first `rows` rows. Returns the number of updates that the connection has prepared. */
  const preparedAfter = (rows: number, change: (node: ScenarioNode) => unknown): Promise<number> =>
    database.transact(async ({ em }) => {
      const nodes = await em.find(ScenarioNode, { parent }, inKeyOrder);
      for (const node of nodes.slice(0, rows)) change(node);
      await em.flush();
      const prepared = "select from pg_prepared_statements where statement like 'update%'";
      return (await em.execute<unknown[]>(prepared)).length;
    });

  const changeByRawQuery = (meanwhile: (id: string) => unknown): Promise<unknown> =>
    db.orm.em.fork().transactional(async (em) => {
      const nodes = await em.find(ScenarioNode, { parent });
      for (const node of nodes) node.rationale = raw<string>("'made by ' || current_user");
      await meanwhile(nodes[3]?.id ?? '');
    });

  test('joins the rows with their new values, of any type', async () => {
    await database.transact(async ({ em }) => {
      const nodes = await em.find(ScenarioNode, { parent }, inKeyOrder);
      for (const [index, node] of nodes.entries()) em.assign(node, values(index));
    });

    expect(updates()).toEqual([
      expect.stringMatching(/^update (?:\/\*.*\*\/ )?"scenario_nodes" set .* from unnest\(/),
    ]);
    const nodes = await stored();
    expect(nodes).toHaveLength(size);
    for (const [index, node] of nodes.entries()) expect(node).toMatchObject(values(index));
  });

  test('is prepared once for any number of rows and any values', async () => {
    const before = await preparedAfter(5, (node) => (node.rationale = 'First'));

    expect(await preparedAfter(size, (node) => (node.rationale = null))).toBe(before);
    expect(await preparedAfter(size, (node) => (node.actionCategory = 'Other'))).toBe(before + 1);
  });

  test('is sent without a name where statements have none', async () => {
    await using unnamed = await openDatabase({ url: db.url, namedStatements: false, pool: { max: 1 } });
    for (const rationale of ['First', 'Second']) {
      const prepared = await unnamed.transact(async ({ em }) => {
        for (const node of await em.find(ScenarioNode, { parent })) node.rationale = rationale;
        await em.flush();
        return em.execute<unknown[]>('select from pg_prepared_statements');
      });

      expect(prepared).toEqual([]);
      expect(await db.orm.em.fork().count(ScenarioNode, { parent, rationale })).toBe(size);
    }
  });

  test('is left to the ORM with a raw query, and refused after another change', async () => {
    await changeByRawQuery(() => {});
    expect((await stored()).map(({ rationale }) => rationale)).toEqual(
      Array(size).fill(expect.stringMatching(/^made by /)),
    );
    const refused = changeByRawQuery((id) =>
      db.orm.em.fork().execute('update scenario_nodes set depth = 7 where id = ?', [id]),
    );
    await expect(refused).rejects.toThrow(ContentionError);
  });

  test('changes their parents', async () => {
    const other = await db.transact(async ({ em }) => aScenarioNode(em).id);

    await database.transact(async ({ em }) => {
      for (const node of await em.find(ScenarioNode, { parent })) em.assign(node, { parent: other });
    });

    expect(updates()).toHaveLength(1);
    expect(await db.orm.em.fork().count(ScenarioNode, { parent: other })).toBe(size);
  });

  test('writes different columns in different rows', async () => {
    await database.transact(async ({ em }) => {
      const nodes = await em.find(ScenarioNode, { parent }, inKeyOrder);
      for (const [index, node] of nodes.entries()) {
        if (index % 2 === 0) node.shortAction = `short ${index}`;
        else node.executionTimeSeconds = index;
      }
    });

    for (const [index, node] of (await stored()).entries()) {
      expect(node.shortAction).toBe(index % 2 === 0 ? `short ${index}` : null);
      expect(node.executionTimeSeconds).toBe(index % 2 === 0 ? null : index);
    }
  });

  test('increments the versions in the database and in memory', async () => {
    const ids = await db.transact(async ({ em }) =>
      Array.from({ length: size }, () => anExploration(em, { experiment: anExperiment(em) }).id),
    );

    await database.transact(async (uow) => {
      const explorations: Exploration[] = [];
      for (const id of ids) explorations.push(await uow.explorations.get(id));
      for (const exploration of explorations) exploration.currentDepth = 3;
      await uow.flush();
      expect(explorations.map(({ rowVersion }) => rowVersion)).toEqual(Array(size).fill(2));
      for (const exploration of explorations) exploration.currentDepth = 4;
    });

    expect(updates()).toHaveLength(2);
    for (const id of ids) {
      const exploration = await db.read(({ explorations }) => explorations.get(id));
      expect(exploration).toMatchObject({ currentDepth: 4, rowVersion: 3 });
    }
  });
});
