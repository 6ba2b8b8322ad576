import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, type TestDatabase } from './kit/database.ts';
import { projectOn, type Migrations } from './project.ts';

const name = 'Migration20260101000000_init';

/** The migrator of one of several chains in a database, each with its own log. */
function chainOn({ url }: TestDatabase, tableName: string, migrations: Migrations): Migrator {
  const orm = projectOn(url, migrations, { migrations: { tableName } });
  onTestFinished(() => orm.close(true));
  return new Migrator(orm);
}

const orders = { [name]: { up: ['create table orders (id int)'], down: ['drop table orders'] } };
const users = { [name]: { up: ['create table users (id int)'], down: ['drop table users'] } };

describe('two chains of one database with equal names of migrations', () => {
  test('are applied and reverted on their own', async () => {
    const db = await emptyDatabase();
    const [one, other] = [chainOn(db, 'log_orders', orders), chainOn(db, 'log_users', users)];

    expect(await one.up()).toMatchObject([{ name }]);
    expect(await other.status()).toMatchObject([{ name, condition: 'pending' }]);
    expect(await other.up()).toMatchObject([{ name }]);
    for (const migrator of [one, other]) {
      expect(await migrator.up()).toEqual([]);
      expect(await migrator.status()).toMatchObject([{ name, condition: 'applied' }]);
      expect(await migrator.history()).toMatchObject([{ name, action: 'up' }]);
    }
    expect(await one.down()).toMatchObject([{ name }]);
    expect(await other.status()).toMatchObject([{ name, condition: 'applied' }]);
    expect(
      await db.orm.em.execute(`select to_regclass('orders') as orders, to_regclass('users') as users`),
    ).toEqual([{ orders: null, users: 'users' }]);
  });

  test('are interrupted and resumed on their own', async () => {
    const db = await emptyDatabase();
    const stopping = (table: string, last: string): Migrations => ({
      [name]: { up: [`create table ${table} (id int)`, last], down: [], transactional: false },
    });
    await expect(chainOn(db, 'log_a', stopping('a', 'select 1 / 0')).up()).rejects.toMatchObject({
      code: 'failed',
    });
    await expect(chainOn(db, 'log_b', stopping('b', 'select 1 / 0')).up()).rejects.toMatchObject({
      code: 'failed',
    });

    expect(await chainOn(db, 'log_a', stopping('a', 'select 1')).up()).toMatchObject([{ name }]);
    expect(await chainOn(db, 'log_b', stopping('b', 'select 1')).status()).toMatchObject([
      { condition: 'unfinished' },
    ]);
    await chainOn(db, 'log_b', stopping('b', 'select 1')).repair({
      action: 'abandon',
      name,
      reason: 'a test',
    });
    expect(await chainOn(db, 'log_a', stopping('a', 'select 1')).status()).toMatchObject([
      { condition: 'applied' },
    ]);
  });

  test('go on with rows of an older version, which name no chain', async () => {
    const db = await emptyDatabase();
    await chainOn(db, 'log_orders', orders).up();
    await db.orm.em.execute(`
      alter table migrator.progress drop column chain cascade;
      alter table migrator.history drop column chain, drop column text_digest`);

    expect(await chainOn(db, 'log_orders', orders).status()).toMatchObject([{ name, condition: 'applied' }]);
    expect(await chainOn(db, 'log_orders', orders).up()).toEqual([]);
    expect(await chainOn(db, 'log_users', users).up()).toMatchObject([{ name }]);
    expect(await chainOn(db, 'log_orders', orders).redo()).toHaveLength(2);
  });
});

test('the check of a chain leaves out the logs of the others', async () => {
  const db = await emptyDatabase();
  await chainOn(db, 'log_orders', orders).up();
  await chainOn(db, 'log_users', { [name]: { up: ['select 1'] } }).up();

  expect(await chainOn(db, 'log_orders', orders).check()).toMatchObject({ database: [], migrations: [] });
});
