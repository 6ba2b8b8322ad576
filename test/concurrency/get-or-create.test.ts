import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultSynthGroup } from '../../src/entities.ts';
import type { Database } from '../../src/index.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { openWith, together } from './together.ts';

describe('callers that get or create a group, fifty on four connections', () => {
  let db: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    database = await openWith(db, 4);
  });
  afterAll(async () => {
    await database.close();
    await db.drop();
  });

  const named = (name: string): Promise<{ id: string }[]> =>
    db.orm.em.fork().execute('select id from synth_groups where name = ?', [name]);

  test('all get the one default group', async () => {
    const groups = await together(50, () =>
      database.transact(async ({ synthGroups }) => (await synthGroups.ensureDefault()).id),
    );

    expect(new Set(groups)).toEqual(new Set([defaultSynthGroup.id]));
    expect(await named(defaultSynthGroup.name)).toEqual([{ id: defaultSynthGroup.id }]);
  });

  test('all get the one group of a name', async () => {
    const groups = await together(50, () =>
      database.transact(async ({ synthGroups }) => (await synthGroups.ensureNamed('Shoppers')).id),
    );

    expect(await named('Shoppers')).toEqual([{ id: groups[0] }]);
    expect(new Set(groups).size).toBe(1);
  });
});
