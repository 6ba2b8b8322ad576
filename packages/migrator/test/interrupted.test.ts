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

// Each waits, when it is half done, for a session that reads its table.
test.each([
  ['reindex table concurrently item', 'select from item'],
  ['reindex (verbose) index concurrently item_by_note', 'select from item'],
  ['alter table sale detach partition sale_2020 concurrently', 'select from sale'],
])('the next run finishes an interrupted %s', async (sql, look) => {
  const migrations = { M1_tables: tables, M2_alone: { up: [sql], transactional: false } };
  const undisturbed = await emptyDatabase();
  await migratorOn(undisturbed, migrations).up();
  const db = await emptyDatabase();
  await migratorOn(db, migrations).up({ to: 'M1_tables' });
  const half = await interruptWhileWaiting(db, look, () => migratorOn(db, migrations).up());

  await migratorOn(db, migrations).up();

  const [expected, found] = [await readCatalog(undisturbed.orm), await readCatalog(db.orm)];
  expect(half).not.toEqual(expected);
  expect(found).toEqual(expected);
});

test('does not repeat a finished statement whose answer was lost', async () => {
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

test('does not repeat a statement that is recorded as done', async () => {
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

/** Interrupts a run while it waits for a session that reads, and returns the catalog. */
async function interruptWhileWaiting(db: TestDatabase, look: string, work: () => Promise<unknown>) {
  await using outside = await OutsideSession.holding(db, look);
  const settled = Promise.allSettled([work()]);
  const [pid = 0] = await outside.waiting(1, 'concurrently');
  await outside.cancel(pid);
  expect(await settled).toMatchObject([{ status: 'rejected', reason: { code: 'failed' } }]);
  return readCatalog(db.orm);
}
