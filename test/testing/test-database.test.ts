import { expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';

test('drop ends transactions and queries that are still open', async () => {
  await using other = await TestDatabase.create();
  const db = await TestDatabase.create();
  const em = db.orm.em.fork();
  await em.begin();
  await em.execute('lock table experiments');
  const waiting = Promise.allSettled([db.orm.em.fork().execute('select count(*) from experiments')]);

  await db.drop();

  expect(await waiting).toMatchObject([{ status: 'rejected' }]);
  const left = await other.orm.em.execute('select 1 from pg_database where datname = ?', [
    db.target.parts.database,
  ]);
  expect(left).toEqual([]);
});

test('drop is idempotent', async () => {
  const db = await TestDatabase.create();
  await db.drop();

  await expect(db.drop()).resolves.toBeUndefined();
});
