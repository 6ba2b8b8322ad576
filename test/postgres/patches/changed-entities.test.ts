import { isDate } from 'node:util/types';
import { ReferenceKind, wrap } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as factories from '../../../src/testing/factories.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { another } from './another-value.ts';

const entities = Object.entries<(em: EntityManager) => object>(factories);

describe('a flush', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterAll(() => db.drop());

  /** Runs `work` on a loaded row of a factory. `changes` returns the properties that a flush would write. */
  async function loaded(
    make: (em: EntityManager) => object,
    work: (entity: object, changes: () => string[]) => void,
  ): Promise<void> {
    await db.rollback(async ({ em }) => {
      const { __meta: meta, __primaryKeys: keys } = wrap(make(em), true);
      await em.flush();
      em.clear();
      const entity = await em.findOneOrFail(meta.class, keys);
      const uow = em.getUnitOfWork();
      work(entity, () => {
        uow.computeChangeSets();
        return uow.getChangeSets().flatMap(({ payload }) => Object.keys(payload));
      });
      em.clear();
    });
  }

  test.each(entities)('finds no change in a loaded row of %s', async (_, make) => {
    await loaded(make, (_entity, changes) => expect(changes()).toEqual([]));
  });

  test.each(entities)('finds a change of each property of a row of %s', async (_, make) => {
    await loaded(make, (entity, changes) => {
      const { __meta: meta } = wrap(entity, true);
      const before = { ...entity };
      for (const prop of meta.comparableProps) {
        if (prop.primary || prop.kind !== ReferenceKind.SCALAR) continue;
        Reflect.set(entity, prop.name, another(prop, Reflect.get(entity, prop.name)));
        expect(changes()).toContain(prop.name);
        // The ORM has updated `updatedAt`.
        Object.assign(entity, before);
      }
    });
  });

  test.each(entities)('finds a change inside a document or a date of %s', async (_, make) => {
    await loaded(make, (entity, changes) => {
      const { __meta: meta } = wrap(entity, true);
      for (const { name } of meta.comparableProps) {
        const value: unknown = Reflect.get(entity, name);
        if (isDate(value)) value.setTime(value.getTime() + 1);
        else if (Array.isArray(value)) value.push('more');
        else if (
          typeof value === 'object' &&
          value !== null &&
          Object.getPrototypeOf(value) === Object.prototype
        )
          Reflect.set(value, 'more', 1);
        else continue;
        expect(changes()).toContain(name);
      }
    });
  });
});
