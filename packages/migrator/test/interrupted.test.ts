import { expect, test } from 'vitest';
import { readCatalog } from '../src/catalog/catalog.ts';
import { emptyDatabase, migratorOn, type TestDatabase } from './kit/database.ts';
import { OutsideSession } from './kit/outside-session.ts';

const tables = {
  up: [
    'create table item (id int primary key, note text)',
    'create index item_by_note on item (note)',
    'create table sale (at date not null) partition by range (at)',
    `create table sale_2020 partition of sale for values from ('2020-01-01') to ('2021-01-01')`,
  ],
};

// Each waits, when half of it is done, for whoever has looked at its table before.
test.each([
  ['reindex table concurrently item', 'select from item'],
  ['reindex (verbose) index concurrently item_by_note', 'select from item'],
  ['alter table sale detach partition sale_2020 concurrently', 'select from sale'],
])('%s is ended by the next run, wherever it was interrupted', async (sql, look) => {
  const migrations = { M1_tables: tables, M2_alone: { up: [sql], transactional: false } };
  const undisturbed = await emptyDatabase();
  await migratorOn(undisturbed, migrations).up();
  const db = await emptyDatabase();
  await migratorOn(db, migrations).up({ to: 'M1_tables' });
  const half = await interruptedHalfWay(db, look, () => migratorOn(db, migrations).up());

  await migratorOn(db, migrations).up();

  const [expected, found] = [await readCatalog(undisturbed.orm), await readCatalog(db.orm)];
  expect(half).not.toEqual(expected);
  expect(found).toEqual(expected);
});

test('what was done, and nobody heard of, is not done again', async () => {
  const detach = 'alter table sale detach partition sale_2020 concurrently';
  const migrations = {
    M1_tables: tables,
    M2_alone: { up: [detach, 'vacuum nowhere'], transactional: false },
  };
  const db = await emptyDatabase();
  await expect(migratorOn(db, migrations).up()).rejects.toThrow('at statement 2');
  await db.orm.em.execute('update migrator.progress set done = false where statement = 0');
  await db.orm.em.execute('create table nowhere ()');

  await expect(migratorOn(db, migrations).up()).resolves.toHaveLength(1);
});

test('what is known to be done is not done again', async () => {
  const insert = `insert into item (id, note) values (1, 'once')`;
  const migrations = {
    M1_tables: tables,
    M2_alone: { up: [insert, 'vacuum nowhere'], transactional: false },
  };
  const db = await emptyDatabase();
  await expect(migratorOn(db, migrations).up()).rejects.toThrow('at statement 2');
  await db.orm.em.execute('create table nowhere ()');

  await expect(migratorOn(db, migrations).up()).resolves.toHaveLength(1);

  expect(await db.orm.em.execute('select note from item')).toEqual([{ note: 'once' }]);
});

/** What is there when a run was interrupted while it waited for somebody who looks. */
async function interruptedHalfWay(db: TestDatabase, look: string, work: () => Promise<unknown>) {
  await using outside = await OutsideSession.holding(db, look);
  const settled = Promise.allSettled([work()]);
  const [pid = 0] = await outside.waiting(1, 'concurrently');
  await outside.cancel(pid);
  expect(await settled).toMatchObject([{ status: 'rejected', reason: { code: 'failed' } }]);
  return readCatalog(db.orm);
}
