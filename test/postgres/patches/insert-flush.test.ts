import {
  Reference,
  UnitOfWork as OrmUnitOfWork,
  wrap,
  type EntityMetadata,
  type EventSubscriber,
} from '@mikro-orm/core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { Experiment, Exploration, ScenarioNode } from '../../../src/entities.ts';
import {
  DuplicateError,
  InvalidJsonError,
  openDatabase,
  type Database,
  type UnitOfWork,
} from '../../../src/index.ts';
import * as testing from '../../../src/testing/factories.ts';
import { aScenarioNode, anExperiment, TestDatabase } from '../../../src/testing/index.ts';

const factories = Object.entries<(em: UnitOfWork['em']) => object>(testing);

let db: TestDatabase;
/** The same database, with a subscriber that leaves flushes to the ORM. */
let byOrm: Database;
beforeAll(async () => {
  db = await TestDatabase.create();
  byOrm = await openDatabase({ url: db.url });
  byOrm.orm.em.getEventManager().registerSubscriber({ onFlush: () => {} } satisfies EventSubscriber);
});
afterAll(async () => {
  await byOrm.close();
  await db.drop();
});

/** How often the ORM looked for changes, for a flush. */
const ormFlushes = vi.spyOn(OrmUnitOfWork.prototype, 'computeChangeSets');
afterEach(() => void ormFlushes.mockClear());

describe('a flush of one new row', () => {
  test.each(factories)('of %s stores it, and leaves it in memory, as the ORM does', async (_, make) => {
    const undo = new Error('to be rolled back');
    // Its parents are stored.
    const { meta, data } = await db.transact(async ({ em }) => {
      const entity = make(em);
      await em.flush();
      const { __meta: table, __primaryKeys: keys } = wrap(entity, true);
      const values = table.props.map(({ name }): [string, unknown] => [
        name,
        keyIn(Reflect.get(entity, name)),
      ]);
      const found: { meta: EntityMetadata; data: object } = { meta: table, data: Object.fromEntries(values) };
      em.clear();
      await em.nativeDelete(table.class, keys);
      return found;
    });
    const inserted = async (database: Database): Promise<unknown> => {
      let outcome: unknown;
      const work = database.transact(async ({ em }) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the values of a row of this entity
        const entity = em.create(meta.class, { ...data, rowVersion: undefined } as never);
        await em.flush();
        const stored = await em.execute(`select to_jsonb(t) from "${meta.tableName}" t`);
        outcome = [
          stored,
          { ...entity },
          em.getUnitOfWork().getOriginalEntityData(entity),
          entity.constructor,
        ];
        await em.flush();
        throw undo;
      });
      await expect(work).rejects.toBe(undo);
      return outcome;
    };
    ormFlushes.mockClear();

    const planned = await inserted(db);

    expect(ormFlushes).toHaveBeenCalledTimes(meta.compositePK ? 1 : 0);
    expect(planned).toEqual(await inserted(byOrm));
  });

  test('is refused as by the ORM when its key exists, and staged again', async () => {
    const { id } = await db.transact(async ({ em }) => anExperiment(em));

    await expect(db.transact(async ({ em }) => void anExperiment(em, { id }))).rejects.toThrow(
      DuplicateError,
    );
  });

  test('refuses a document of another shape before it sends anything', async () => {
    const work = db.transact(async ({ em }) => {
      const experiment = anExperiment(em);
      Reflect.set(experiment, 'scorecardData', { feature_name: 1 });
    });

    await expect(work).rejects.toThrow(InvalidJsonError);
  });

  test('is left to the ORM with a new parent, or a change of another row', async () => {
    await db.rollback(async ({ em }) => {
      const { exploration } = aScenarioNode(em);
      await em.flush();
      ormFlushes.mockClear();

      const node = aScenarioNode(em, { exploration, depth: 1 });
      const parent = await exploration.loadOrFail();
      parent.currentDepth = 1;
      await em.flush();

      expect(ormFlushes).toHaveBeenCalledTimes(1);
      expect(await em.fork().count(ScenarioNode, node.id)).toBe(1);
      expect(await em.fork().count(Exploration, { id: parent.id, currentDepth: 1 })).toBe(1);
    });
  });

  test('keeps a row that is staged while it waits, for the next flush', async () => {
    await db.rollback(async (u) => {
      anExperiment(u.em, { name: 'First' });
      const flush = u.flush();
      await Promise.resolve();
      const late = anExperiment(u.em, { name: 'Late' });
      await flush;
      await u.flush();

      expect(await u.em.fork().count(Experiment, late.id)).toBe(1);
    });
  });
});

/** Returns the key of a parent; any other value as it is. */
function keyIn(value: unknown): unknown {
  return Reference.isReference<object>(value) ? wrap(value.unwrap(), true).getPrimaryKey() : value;
}
