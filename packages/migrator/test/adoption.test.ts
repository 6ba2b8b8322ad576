import type { MikroORM } from '@mikro-orm/postgresql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, ormOn } from './kit/database.ts';
import { accountMigrations, accountsOrm } from './accounts.ts';
import { all, first, fourth, second, third, without } from './chain.ts';

const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);

test("treats the ORM's log as applied, continues and reverts", async () => {
  const db = await emptyDatabase();
  await ormOn(db, without(fourth)).migrator.up();
  const migrator = new Migrator(ormOn(db, all));

  const before = await migrator.status();
  const own = await db.orm.em.execute(`select to_regnamespace('migrator') as own`);

  expect(before.map(({ condition }) => condition)).toEqual(['applied', 'applied', 'applied', 'pending']);
  // When is known, but neither how long it took nor who did it.
  expect(before[0]).toMatchObject({ appliedAt: expect.any(Date), duration: null, by: null });
  // To look makes nothing.
  expect(own).toEqual([{ own: null }]);
  expect(names(await migrator.up())).toEqual([fourth]);
  expect(names(await migrator.down({ to: first }))).toEqual([fourth, third, second]);
  expect(names(await migrator.up())).toEqual([second, third, fourth]);
});

test('does not report an edit of a migration that the ORM applied', async () => {
  const db = await emptyDatabase();
  await ormOn(db, all).migrator.up();
  const edited = { ...all, [second]: { up: ['select 1'], down: ['drop table second'] } };

  const [, status] = await new Migrator(ormOn(db, edited)).status();

  expect(status).toMatchObject({ condition: 'applied' });
});

test('lets the ORM list, continue and revert what it applied', async () => {
  const db = await emptyDatabase();
  await new Migrator(ormOn(db, all)).up({ to: second });
  const { migrator: theirs } = ormOn(db, all);

  expect(names(await theirs.getExecuted())).toEqual([first, second]);
  expect(names(await theirs.getPending())).toEqual([third, fourth]);
  await theirs.up({ to: third });
  await theirs.down({ to: second });

  const status = await new Migrator(ormOn(db, all)).status();
  expect(status.map(({ condition }) => condition)).toEqual(['applied', 'applied', 'pending', 'pending']);
  expect(names(await new Migrator(ormOn(db, all)).up())).toEqual([third, fourth]);
});

test('does not compare a migration that the ORM applied again with its former checksum', async () => {
  const db = await emptyDatabase();
  await new Migrator(ormOn(db, without(third, fourth))).up();
  const changed = { ...without(third, fourth), [second]: { up: ['create table second (id bigint)'] } };
  const theirs = ormOn(db, changed).migrator;
  await theirs.down();
  await db.orm.em.execute('drop table second');
  await theirs.up();

  const [, status] = await new Migrator(ormOn(db, changed)).status();

  expect(status).toMatchObject({ condition: 'applied', by: null });
});

test.each([
  ['another table name', { migrations: { tableName: 'my_log' } }, 'public.my_log'],
  ['another schema', { migrations: { tableName: 'audit.my_log' } }, 'audit.my_log'],
  ['the schema of the entities', { schema: 'lab' }, 'lab.mikro_orm_migrations'],
  [
    'names that need quotes',
    { schema: 'my-lab', migrations: { tableName: 'My "Log' } },
    '"my-lab"."My ""Log"',
  ],
])('shares the log with the ORM under %s', async (_, options, table) => {
  const db = await emptyDatabase();
  const orm = ormOn(db, all, options);
  await orm.migrator.up({ to: first });

  expect(names(await new Migrator(orm).up({ to: second }))).toEqual([second]);

  expect(names(await ormOn(db, all, options).migrator.getExecuted())).toEqual([first, second]);
  const [{ rows } = { rows: 0 }] = await db.orm.em.execute<{ rows: number }[]>(
    `select count(*)::int as rows from ${table}`,
  );
  expect(rows).toBe(2);
});

test('lets the ORM use a log that it created', async () => {
  const db = await emptyDatabase();
  const there = ormOn(db, all, { schema: 'lab', migrations: { tableName: 'my_log' } });

  await new Migrator(there).up({ to: first });
  await there.migrator.up({ to: second });

  expect(names(await new Migrator(there).up())).toEqual([third, fourth]);
});

describe('an interrupted migration that the ORM finished', () => {
  const [accounts, indexes = '', ...later] = accountMigrations;

  /** Interrupts the second migration, which runs statement by statement, at its last statement. */
  async function interrupted(direction: 'up' | 'down'): Promise<{ orm: MikroORM; migrator: Migrator }> {
    const { url } = await emptyDatabase();
    const orm = accountsOrm(url);
    onTestFinished(() => orm.close(true));
    const migrator = new Migrator(orm);
    await migrator.up({ to: direction === 'up' ? accounts : indexes });
    // A relation of the name that it creates, or one that depends on what it drops.
    const [blocker, unblock] =
      direction === 'up'
        ? ['create table account_owner_id_key ()', 'drop table account_owner_id_key']
        : ['create view opened as select opened_at from account', 'drop view opened'];
    await orm.em.execute(blocker);
    await expect(migrator[direction]()).rejects.toMatchObject({ code: 'failed' });
    await orm.em.execute(unblock);
    expect(await migrator.status()).toContainEqual(
      expect.objectContaining({ name: indexes, condition: 'unfinished' }),
    );
    return { orm, migrator };
  }

  test('is applied after up, and can be reverted and applied again', async () => {
    const { orm, migrator } = await interrupted('up');
    await orm.em.execute('drop index account_owner_idx; alter table account drop opened_at');

    await orm.migrator.up();

    expect((await migrator.status()).map(({ condition }) => condition)).toEqual(
      accountMigrations.map(() => 'applied'),
    );
    expect(await migrator.up()).toEqual([]);
    expect(names(await migrator.down({ steps: 3 }))).toEqual([indexes, ...later].toReversed());
    expect(names(await migrator.up())).toEqual([indexes, ...later]);
    expect(await migrator.check()).toMatchObject({ migrations: [], database: [] });
  });

  test('is pending after down, and can be applied again', async () => {
    const { orm, migrator } = await interrupted('down');
    await orm.em.execute('create unique index account_owner_id_key on account (owner, id)');

    await orm.migrator.down();

    expect((await migrator.status()).slice(-3).map(({ condition }) => condition)).toEqual(
      Array(3).fill('pending'),
    );
    expect(names(await migrator.up())).toEqual([indexes, ...later]);
    expect(names(await migrator.down({ steps: 3 }))).toEqual([indexes, ...later].toReversed());
    expect(names(await migrator.up())).toEqual([indexes, ...later]);
    expect(await migrator.check()).toMatchObject({ migrations: [], database: [] });
  });
});
