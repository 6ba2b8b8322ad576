import { ref, wrap } from '@mikro-orm/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Experiment } from '../../../src/entities.ts';
import { trackAssignments } from '../../../src/postgres/patches/orm/tracked-assignments.ts';
import { anExperiment, aSynth, aSynthGroup, TestDatabase } from '../../../src/testing/index.ts';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

describe('an entity whose assignments are tracked', () => {
  test('has the same properties and values in the same order', async () => {
    await db.rollback(async ({ em }) => {
      const entity = anExperiment(em);
      await em.flush();
      const before = Object.entries(entity);

      trackAssignments(entity);

      expect(Object.entries(entity)).toEqual(before);
      entity.name = 'Another';
      expect(wrap(entity, true)).toMatchObject({ __data: { name: 'Another' } });
      await em.flush();
      expect(await em.fork().findOneOrFail(Experiment, entity.id)).toMatchObject({ name: 'Another' });
    });
  });

  test('gets a property that it did not have when that is assigned', async () => {
    await db.rollback(async ({ em }) => {
      const { id } = anExperiment(em);
      await em.flush();
      em.clear();
      const entity = await em.findOneOrFail(Experiment, id, { fields: ['name'] });
      trackAssignments(entity);
      expect(Object.keys(entity)).not.toContain('hypothesis');

      Reflect.set(entity, 'hypothesis', 'Late');

      expect(Object.keys(entity)).toContain('hypothesis');
      expect(wrap(entity, true)).toMatchObject({ __data: { hypothesis: 'Late' } });
    });
  });
});

test('an inner unit that fails restores plain properties, and ones that it has added', async () => {
  await db.rollback(async (u) => {
    const { id } = anExperiment(u.em);
    await u.em.flush();
    u.em.clear();
    const entity = await u.em.findOneOrFail(Experiment, id, { fields: ['name'] });
    const { name } = entity;
    const failure = new Error('no');

    const failing = u.transact(async () => {
      entity.name = 'Inner';
      Reflect.set(entity, 'hypothesis', 'Inner');
      throw failure;
    });

    await expect(failing).rejects.toBe(failure);
    expect(entity).toMatchObject({ name });
    expect(Reflect.get(entity, 'hypothesis')).toBeUndefined();
  });
});

test('a row that leaves the identity map leaves no reference that a flush would follow', async () => {
  await db.rollback(async ({ em }) => {
    const group = aSynthGroup(em);
    const synth = aSynth(em, { synthGroup: ref(group) });
    await em.flush();

    em.getUnitOfWork().unsetIdentity(group);

    expect(synth.synthGroup).toBeUndefined();
  });
});
