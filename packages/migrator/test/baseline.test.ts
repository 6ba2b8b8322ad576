import type { MikroORM } from '@mikro-orm/postgresql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator, MigrationRefusedError } from 'mikro-orm-safe-migrations';
import { TestDatabase } from './kit/database.ts';
import { driftChain, driftProject } from './drift-project.ts';

async function emptyDatabase(): Promise<TestDatabase> {
  const db = await TestDatabase.create();
  onTestFinished(() => db.drop());
  return db;
}

/** A database with the schema of the drift project up to `last`, and no log. */
async function madeOtherwise(last: string): Promise<{ db: TestDatabase; orm: MikroORM; migrator: Migrator }> {
  const db = await emptyDatabase();
  const orm = driftProject(db.url);
  onTestFinished(() => orm.close(true));
  const migrator = new Migrator(orm);
  await migrator.up({ to: last });
  await orm.em.execute(`drop schema migrator cascade; drop table mikro_orm_migrations`);
  return { db, orm, migrator };
}

async function recorded(orm: MikroORM): Promise<object[]> {
  return orm.em.execute(`
    select l.name, direction, outcome, checksum is not null as known from mikro_orm_migrations l
    full join migrator.history h on h.name = l.name order by l.id`);
}

describe('a baseline', () => {
  test('records an equal schema as migrated, and up continues from there', async () => {
    const { orm, migrator } = await madeOtherwise('Migration2_email');

    expect(await migrator.baseline('Migration2_email')).toEqual(['Migration1_shop', 'Migration2_email']);

    const entry = { direction: 'baseline', outcome: 'done', known: true };
    expect(await recorded(orm)).toEqual([
      { name: 'Migration1_shop', ...entry },
      { name: 'Migration2_email', ...entry },
    ]);
    expect((await migrator.up()).map(({ name }) => name)).toEqual(['Migration3_phone']);
    expect((await migrator.status()).map(({ condition }) => condition)).toEqual(Array(3).fill('applied'));
    expect(await migrator.check()).toMatchObject({ migrations: [], database: [] });
  });

  test('records a migration once, and adds to recorded ones', async () => {
    const { orm, migrator } = await madeOtherwise('Migration2_email');
    await migrator.baseline('Migration2_email');

    expect(await migrator.baseline('Migration2_email')).toEqual([]);
    await orm.em.execute(`alter table customer add column phone text`);
    expect(await migrator.baseline('Migration3_phone')).toEqual(['Migration3_phone']);
  });

  test('is recorded once by two concurrent runners', async () => {
    const { orm, migrator } = await madeOtherwise('Migration2_email');

    const both = await Promise.all([
      migrator.baseline('Migration2_email'),
      new Migrator(orm).baseline('Migration2_email'),
    ]);

    expect(both).toEqual(expect.arrayContaining([[], ['Migration1_shop', 'Migration2_email']]));
    expect(await recorded(orm)).toHaveLength(2);
  });

  test.each([
    [
      'alter table product alter price drop not null',
      'table product: column price: not null none in the database',
    ],
    ['drop index product_by_name', 'table product: index product_by_name: not in the database'],
    ['create table left_over (id int)', 'table left_over: in the database, not made by the migrations'],
  ])('refuses a different schema, and describes the difference: %s', async (sql, line) => {
    const { orm, migrator } = await madeOtherwise('Migration2_email');
    await orm.em.execute(sql);

    const refused = migrator.baseline('Migration2_email');

    await expect(refused).rejects.toThrow(MigrationRefusedError);
    await expect(refused).rejects.toThrow(line);
    expect(await recorded(orm)).toEqual([]);
  });

  test('refuses a schema at another migration', async () => {
    const { orm, migrator } = await madeOtherwise('Migration2_email');

    await expect(migrator.baseline('Migration3_phone')).rejects.toThrow(
      'table customer: column phone: not in the database, made by the migrations',
    );
    await expect(migrator.baseline('Migration1_shop')).rejects.toThrow(
      'table customer: column email: in the database, not made by the migrations',
    );
    expect(await recorded(orm)).toEqual([]);
  });

  test('refuses when later migrations are applied, and an unknown name', async () => {
    const { orm, migrator } = await madeOtherwise('Migration3_phone');
    await migrator.baseline('Migration3_phone');

    await expect(migrator.baseline('Migration1_shop')).rejects.toThrow(
      'Migration2_email, Migration3_phone are applied and newer than Migration1_shop',
    );
    await expect(migrator.baseline('Migration2_mail')).rejects.toThrow('did you mean Migration2_email?');
    expect(await recorded(orm)).toHaveLength(driftChain.length);
  });
});
