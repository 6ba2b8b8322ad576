import { isDate } from 'node:util/types';
import { Reference, wrap } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Experiment, ScenarioNode } from '../../../src/entities.ts';
import { UnitEntityManager } from '../../../src/database/units/unit-entity-manager.ts';
import { ourEntities } from '../../../src/postgres/orm/entities/our-entities.ts';
import { hydratorOf } from '../../../src/postgres/patches/orm/compiled-hydrator.ts';
import { aScenarioNode, anExperiment, TestDatabase } from '../../../src/testing/index.ts';
import { insertBareRows, insertFullRows } from '../../schema/rows.ts';

const tables = ourEntities.map((entity) => [entity.name, entity] as const);

let db: TestDatabase;
beforeAll(async () => {
  db = await TestDatabase.create();
  await db.transact(async ({ em }) => {
    await insertBareRows(em);
    await insertFullRows(em);
  });
});
afterAll(() => db.drop());

describe.each(tables)('rows of %s', (_, entity) => {
  test('are found as the ORM finds them, in every value, snapshot and state', async () => {
    const found = await db.transact(({ em }) => em.find(entity, {}));
    // Its factory is the ORM's own.
    const byOrm = await db.orm.em.fork().find(entity, {});

    expect(found.length).toBeGreaterThan(1);
    expect(found.map(described)).toEqual(byOrm.map(described));
    expect(found.map((row) => Object.keys(row))).toEqual(byOrm.map((row) => Object.keys(row)));
  });

  test('leave the same rows and references in the identity map', async () => {
    const unit = UnitEntityManager.of(db.orm);
    const plain = db.orm.em.fork();
    for (const em of [unit, plain]) await em.find(entity, {});

    expect(loadedIn(unit)).toEqual(loadedIn(plain));
  });
});

describe('the compiled hydrator', () => {
  test.each(tables)('hydrates %s', (_, entity) => {
    expect(hydratorOf(db.orm.getMetadata().get(entity), db.orm.em)).not.toBeNull();
  });

  test('gives rows with the same parent the same reference, and a loaded parent as it is', async () => {
    await db.rollback(async ({ em }) => {
      const node = aScenarioNode(em);
      await em.flush();
      const { exploration } = node;
      aScenarioNode(em, { exploration, depth: 1 });
      await em.flush();
      em.clear();

      const [first, second] = await em.find(ScenarioNode, { exploration: exploration.id });

      expect(first?.exploration).toBe(second?.exploration);
      expect(first?.exploration.isInitialized()).toBe(false);
      const loaded = await first?.exploration.load();
      expect(second?.exploration.unwrap()).toBe(loaded);
    });
  });

  test('leaves a partial row to the ORM, which loads the rest later', async () => {
    await db.rollback(async ({ em }) => {
      const { id } = anExperiment(em, { name: 'Whole' });
      await em.flush();
      em.clear();

      const partial = await em.findOneOrFail(Experiment, id, { fields: ['name'] });
      expect(Object.keys(partial).toSorted()).toEqual(['id', 'name']);

      const whole = await em.findOneOrFail(Experiment, id, { refresh: true });
      expect(whole).toBe(partial);
      expect(whole).toMatchObject({ name: 'Whole', hypothesis: expect.any(String) });
    });
  });

  test('leaves rows to the ORM whose parent is populated in the same statement', async () => {
    await db.rollback(async ({ em }) => {
      const { id } = aScenarioNode(em);
      await em.flush();
      em.clear();

      const node = await em.findOneOrFail(ScenarioNode, id, {
        populate: ['exploration'],
        strategy: 'joined',
      });

      expect(node.exploration.isInitialized()).toBe(true);
    });
  });

  test('emits onInit and onLoad where something listens', async () => {
    await using other = await TestDatabase.create();
    const heard: string[] = [];
    other.orm.em.getEventManager().registerSubscriber({
      onInit: () => void heard.push('onInit'),
      onLoad: () => void heard.push('onLoad'),
    });
    const { id } = await other.transact(async ({ em }) => anExperiment(em));
    heard.length = 0;

    await other.transact(({ em }) => em.findOneOrFail(Experiment, id));

    expect(heard).toEqual(['onInit', 'onLoad']);
  });
});

/** The values of an entity and the ORM's state of it. References are described by their keys. */
function described(entity: object): object {
  const { __originalEntityData: snapshot, ...state } = stateOf(entity);
  const values = Object.entries(entity).map(([name, value]: [string, unknown]) => [name, valueOf(value)]);
  return { type: entity.constructor, values, snapshot, state };
}

function stateOf(entity: object) {
  const wrapped = wrap(entity, true);
  const { __originalEntityData, __initialized, __managed, __schema, __processing, __loadedProperties } =
    wrapped;
  const { __serializationContext, __em: em } = wrapped;
  return {
    __originalEntityData,
    __initialized,
    __managed,
    __schema,
    __processing,
    __loadedProperties,
    __serializationContext,
    isOfManager: em !== undefined,
    isSerializable: JSON.stringify(entity),
  };
}

function valueOf(value: unknown): unknown {
  if (isDate(value)) return ['Date', value.getTime()];
  if (!Reference.isReference<object>(value)) return value;
  const { __managed, __initialized, __originalEntityData, __loadedProperties, __schema } = wrap(
    value.unwrap(),
    true,
  );
  return [
    value.unwrap().constructor,
    wrap(value.unwrap(), true).getPrimaryKey(),
    { __managed, __initialized, __originalEntityData, __loadedProperties, __schema },
  ];
}

function loadedIn(em: EntityManager): string[] {
  return em.getUnitOfWork().getIdentityMap().keys().toSorted();
}
