import { ref, ReferenceKind, UnitOfWork as OrmUnitOfWork, type EventSubscriber } from '@mikro-orm/core';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { Experiment, ScenarioNode } from '../../../src/entities.ts';
import {
  ContentionError,
  InvalidJsonError,
  InvalidValueError,
  openDatabase,
  toDataError,
  UnfinishedWorkError,
  type Database,
  type UnitOfWork,
} from '../../../src/index.ts';
import { BatchUpdateDriver } from '../../../src/postgres/orm/driver/batch-update-driver.ts';
import { ourEntities } from '../../../src/postgres/orm/entities/our-entities.ts';
import * as factories from '../../../src/testing/factories.ts';
import { aScenarioNode, anExperiment, anExploration, TestDatabase } from '../../../src/testing/index.ts';
import { another } from './another-value.ts';

const count = 12;
const makers = Object.values<(em: UnitOfWork['em']) => object>(factories);

let db: TestDatabase;
/** The same database, with a subscriber that leaves flushes to the ORM. */
let byOrm: Database;
beforeAll(async () => {
  db = await TestDatabase.create();
  byOrm = await openDatabase({ url: db.url });
  byOrm.orm.em.getEventManager().registerSubscriber({ onFlush: () => {} } satisfies EventSubscriber);
  await db.transact(async ({ em }) => {
    for (const make of makers) for (let made = 0; made < count; made++) make(em);
  });
});
afterAll(async () => {
  await byOrm.close();
  await db.drop();
});

/** How often the ORM looked for changes, for a flush. */
const ormFlushes = vi.spyOn(OrmUnitOfWork.prototype, 'computeChangeSets');
beforeEach(() => void ormFlushes.mockClear());
afterEach(() => void vi.useRealTimers());

describe.each(ourEntities.map((entity) => [entity.name, entity] as const))('rows of %s', (_, entity) => {
  /** Changes a property of all rows, and returns what a flush has stored and left in memory, or its error. */
  async function flushed(database: Database, change: (row: object) => void): Promise<unknown> {
    let outcome: unknown;
    const undo = new Error('to be rolled back');
    const work = database.transact(async ({ em }) => {
      const rows = await em.find(entity, {});
      for (const row of rows) change(row);
      try {
        await em.flush();
        const { tableName } = em.getMetadata().get(entity);
        const stored = await em.execute(
          `select to_jsonb(t) - 'updated_at' as row from "${tableName}" t order by 1`,
        );
        outcome = {
          stored,
          left: rows.map((row) => [{ ...row }, em.getUnitOfWork().getOriginalEntityData(row)]),
        };
      } catch (error) {
        outcome = toDataError(error);
      }
      throw undo;
    });
    await expect(work).rejects.toBe(undo);
    return outcome;
  }

  test('are stored, and left in memory, as by the ORM after a change of any property', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-12-01T12:00:00Z') });
    const meta = db.orm.getMetadata().get(entity);
    for (const prop of meta.comparableProps) {
      if (prop.primary || prop.kind !== ReferenceKind.SCALAR) continue;
      const change = (row: object) =>
        void Reflect.set(row, prop.name, another(prop, Reflect.get(row, prop.name)));
      const batch = await flushed(db, change);

      expect(ormFlushes).toHaveBeenCalledTimes(meta.compositePK || prop.unique ? 1 : 0);
      expect(batch).toEqual(await flushed(byOrm, change));
      ormFlushes.mockClear();
    }
  });
});

const nodes = (em: UnitOfWork['em']): Promise<ScenarioNode[]> =>
  em.find(ScenarioNode, {}, { orderBy: { id: 'asc' } });

describe('a flush of many changed rows of a table', () => {
  test('writes none when another writer has changed one', async () => {
    const work = db.transact(async ({ em }) => {
      const loaded = await nodes(em);
      const other = db.orm.em.fork();
      await other.execute('update scenario_nodes set depth = depth + 1 where id = ?', [loaded[5]?.id]);
      for (const node of loaded) node.rationale = 'Overwritten';
    });

    await expect(work).rejects.toThrow(ContentionError);
    expect(ormFlushes).not.toHaveBeenCalled();
    expect(await db.orm.em.fork().count(ScenarioNode, { rationale: 'Overwritten' })).toBe(0);
  });

  test('refuses a document of another shape before it sends anything', async () => {
    await db.rollback(async (u) => {
      const loaded = await nodes(u.em);
      for (const node of loaded) node.rationale = 'Not sent';
      Reflect.set(loaded[3] ?? {}, 'scorecardParams', { complexity: 2 });

      await expect(u.flush()).rejects.toThrow(InvalidJsonError);
      expect(await u.em.fork().count(ScenarioNode, { rationale: 'Not sent' })).toBe(0);
      u.em.clear();
    });
  });

  test('refuses a value outside of an enum as the ORM does', async () => {
    const sending = vi.spyOn(BatchUpdateDriver.prototype, 'updateBatch');
    onTestFinished(() => sending.mockRestore());
    await db.rollback(async (u) => {
      for (const node of await nodes(u.em)) Reflect.set(node, 'nodeStatus', 'unknown');

      await expect(u.flush()).rejects.toThrow(InvalidValueError);
      expect(sending).not.toHaveBeenCalled();
      u.em.clear();
    });
  });

  test('keeps the digits of a number that JavaScript rounds', async () => {
    await db.rollback(async ({ em }) => {
      const more = `scorecard_params || '{"seed": 12345678901234567890}'`;
      await em.execute(`update scenario_nodes set scorecard_params = ${more}`);
      em.clear();
      const loaded = await nodes(em);
      for (const [index, node] of loaded.entries()) {
        if (index % 2 === 0) node.scorecardParams.complexity = 0.25;
        else node.scorecardParams = { ...node.scorecardParams, complexity: 0.25 };
      }
      await em.flush();
      const versions = loaded.map(({ rowVersion }) => rowVersion);
      await em.flush();
      expect(loaded.map(({ rowVersion }) => rowVersion)).toEqual(versions);

      const [row] = await em.execute<{ seeds: string }[]>(
        `select string_agg(distinct scorecard_params ->> 'seed', ', ') as seeds from scenario_nodes where scorecard_params @> '{"complexity": 0.25}'`,
      );
      expect(row?.seeds).toBe('12345678901234567890');
    });
  });

  test('sends batches of the configured size', async () => {
    await db.rollback(async ({ em }) => {
      const exploration = anExploration(em);
      for (let depth = 1; depth <= 700; depth++) aScenarioNode(em, { exploration: ref(exploration), depth });
      await em.flush();
      em.clear();
      const loaded = await em.find(ScenarioNode, { exploration: exploration.id });
      for (const node of loaded) node.depth += 1_000;
      await em.flush();

      expect(loaded.map(({ rowVersion }) => rowVersion)).toEqual(Array(700).fill(2));
      for (const node of loaded) node.depth += 1_000;
      await em.flush();
      expect(await em.count(ScenarioNode, { depth: { $gt: 2_000 }, rowVersion: 3 })).toBe(700);
    });
  });

  test('keeps assignments and staged rows that are made while it waits, for the next flush', async () => {
    await db.rollback(async (u) => {
      const loaded = await nodes(u.em);
      for (const node of loaded) node.rationale = 'Sent';
      const flush = u.flush();
      await Promise.resolve();
      for (const node of loaded) node.rationale = 'Late';
      const late = anExperiment(u.em, { name: 'Late' });
      await flush;
      await u.flush();

      expect(await u.em.fork().count(ScenarioNode, { rationale: 'Late' })).toBe(loaded.length);
      expect(await u.em.fork().count(Experiment, late.id)).toBe(1);
    });
  });

  test('at the end of a unit reports an assignment that was not awaited', async () => {
    const loaded: ScenarioNode[] = [];
    // oxlint-disable-next-line typescript/unbound-method -- called on the driver
    const { updateBatch } = BatchUpdateDriver.prototype;
    const sending = vi.spyOn(BatchUpdateDriver.prototype, 'updateBatch').mockImplementation(function send(
      this: BatchUpdateDriver,
      ...given
    ) {
      for (const node of loaded) node.rationale = 'Too late';
      return updateBatch.apply(this, given);
    });
    onTestFinished(() => sending.mockRestore());
    const work = db.transact(async ({ em }) => {
      loaded.push(...(await nodes(em)));
      for (const node of loaded) node.rationale = 'At the end';
    });

    await expect(work).rejects.toThrow(UnfinishedWorkError);
    await expect(work).rejects.toMatchObject({ calls: ['an assignment to ScenarioNode'] });
  });

  test.each<[string, (em: UnitOfWork['em'], loaded: ScenarioNode[]) => unknown]>([
    [
      'another table',
      (em) => em.findOneOrFail(Experiment, { name: { $ne: null } }).then((one) => (one.name = 'Changed')),
    ],
    ['a new row', (em) => anExperiment(em)],
    ['a removed row', (em, loaded) => em.remove(loaded.at(-1) ?? {})],
    [
      'a new parent',
      (em, loaded) => {
        const exploration = anExploration(em.fork());
        for (const node of loaded.slice(0, 1)) node.exploration = ref(exploration);
      },
    ],
  ])('is left to the ORM together with %s', async (_, change) => {
    await db.rollback(async ({ em }) => {
      const loaded = await nodes(em);
      for (const node of loaded.slice(0, -1)) node.rationale = 'Together';
      await change(em, loaded);
      await em.flush();

      expect(ormFlushes).toHaveBeenCalled();
      expect(await em.fork().count(ScenarioNode, { rationale: 'Together' })).toBe(loaded.length - 1);
    });
  });

  test('is left to the ORM where hooks listen for updates', async () => {
    await using other = await openDatabase({ url: db.url });
    const heard: unknown[] = [];
    other.orm.em
      .getEventManager()
      .registerSubscriber({ beforeUpdate: ({ entity }) => void heard.push(entity) });
    const undo = new Error('to be rolled back');
    const work = other.transact(async ({ em }) => {
      for (const node of await nodes(em)) node.rationale = 'Heard';
      await em.flush();
      throw undo;
    });

    await expect(work).rejects.toBe(undo);
    expect(heard).toHaveLength(count);
  });
});
