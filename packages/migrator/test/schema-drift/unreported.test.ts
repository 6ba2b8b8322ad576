import type { MikroORM } from '@mikro-orm/postgresql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { driftProject } from '../drift-project.ts';
import { emptyDatabase, ormOn, type TestDatabase } from '../kit/database.ts';
import { createRole } from '../kit/roles.ts';
import { linesOf, noDrift } from './changes.ts';

function project(db: { readonly url: string }): MikroORM {
  const orm = driftProject(db.url);
  onTestFinished(() => orm.close(true));
  return orm;
}

describe('reports no drift', () => {
  test.each([
    ['reindex table product'],
    ['reindex index concurrently product_by_name'],
    ['reindex table concurrently product'],
    ['reindex schema stock'],
    ['analyze product, customer, stock.item'],
    // Of tables alone: the catalogs that databases share would be locked for other tests.
    ['vacuum full product, stock.item, migrator.catalog, migrator.history'],
    ['vacuum (freeze, analyze) product'],
    ['cluster product using product_by_price'],
    ['refresh materialized view totals'],
    [`select setval('invoice_numbers', 5000)`],
    [`insert into customer (name) values ('one'), ('two')`],
    ['create temp table customer (id int)'],
    ['alter default privileges grant select on tables to pg_monitor'],
    ['alter default privileges revoke execute on functions from public'],
    [
      'alter table product owner to pg_monitor; alter schema stock owner to pg_monitor; alter view cheap owner to pg_monitor',
    ],
    ['drop index product_by_price; create index product_by_price on product (price desc)'],
    ['drop view cheap; create view cheap as select 10 as price'],
    ['alter database :name set search_path to stock; alter database :name set quote_all_identifiers to on'],
    [
      `alter database :name set datestyle to 'SQL, DMY'; alter database :name set timezone to 'Asia/Tokyo';
       alter database :name set standard_conforming_strings to off; alter database :name set intervalstyle to iso_8601;
       alter database :name set bytea_output to escape; alter database :name set extra_float_digits to -10`,
    ],
  ])('after %s', async (sql) => {
    const db = await emptyDatabase();
    await new Migrator(project(db)).up();
    await db.orm.em.execute(sql.replaceAll(':name', db.target.parts.database));

    expect(await new Migrator(project(db)).drift()).toEqual(noDrift);
  });

  test('while another session rebuilds an index, and after it stopped', async () => {
    const db = await emptyDatabase();
    const migrator = new Migrator(project(db));
    await migrator.up();
    // Its snapshot keeps the rebuild from ending.
    const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const reading = ormOn(db, {}).em.transactional(async (em) => {
      await em.execute('set transaction isolation level repeatable read');
      await em.execute('select count(*) from product');
      begun.resolve();
      await held.promise;
    });
    onTestFinished(() => held.resolve());
    await begun.promise;
    const rebuilding = db.orm.em
      .execute('reindex table concurrently product')
      .catch((error: unknown) => String(error));
    await expect
      .poll(async () => db.orm.em.execute(`select count(*)::int as n from pg_index where not indisvalid`))
      .not.toEqual([{ n: 0 }]);

    expect(await migrator.drift()).toEqual(noDrift);
    await db.orm.em.execute(
      `select pg_cancel_backend(pid) from pg_stat_activity where query ~ '^reindex' and pid <> pg_backend_pid()`,
    );
    expect(await rebuilding).toContain('canceling');
    held.resolve();
    await reading;

    expect(linesOf(await migrator.drift())).toContainEqual(
      expect.stringMatching(/^table product: index .*_ccnew: added$/),
    );
  });

  test('of what `ignore` leaves out: objects with their privileges, and the privileges of roles', async () => {
    const db = await emptyDatabase();
    await new Migrator(project(db)).up();
    const { name } = await createRole(db);
    const migrator = new Migrator(project(db), { ignore: ['sale_20*', 'pgboss.*', `role ${name}`, 'cheap'] });
    await db.orm.em.execute(`
      create table sale_2021 partition of sale for values from ('2021-01-01') to ('2022-01-01');
      create schema pgboss; create table pgboss.job (id int); grant all on pgboss.job to public; grant select on cheap to public;
      grant select on product, customer to "${name}"; grant update (name) on product to "${name}"; grant usage on schema stock to "${name}"`);

    expect(await migrator.drift()).toEqual(noDrift);

    await db.orm.em.execute('grant insert on product to pg_monitor');
    expect(linesOf(await migrator.drift())).toEqual([
      'table product: privilege INSERT of pg_monitor granted now, none before',
    ]);
  });
});

/** Gives the tables of the records other numbers, as a restored dump has, and what PostgreSQL prints differently after one. */
async function restored(db: TestDatabase): Promise<void> {
  await db.orm.em.execute(`
    create table migrator.restored (like migrator.catalog including all); insert into migrator.restored select * from migrator.catalog;
    drop table migrator.catalog; alter table migrator.restored rename to catalog`);
  const [{ definition } = { definition: '' }] = await db.orm.em.execute<{ definition: string }[]>(
    `select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'product_state_check'`,
  );
  await db.orm.em.execute(
    `alter table product drop constraint product_state_check, add constraint product_state_check ${definition};
     revoke all on product from public`,
  );
}

describe('in a restored dump', () => {
  test('what PostgreSQL prints differently, and privileges, are no drift; other changes are', async () => {
    const db = await emptyDatabase();
    const migrator = new Migrator(project(db));
    await migrator.up();
    await restored(db);
    expect(await migrator.drift()).toEqual({
      ...noDrift,
      notCompared:
        'expressions, definitions and privileges, until the next run, because what the last run recorded was restored from a dump',
    });

    await db.orm.em.execute(
      'alter table product alter code type varchar(9) collate "C", alter price drop not null; drop trigger touched on customer',
    );

    expect(linesOf(await migrator.drift())).toEqual([
      'table customer: trigger touched: missing',
      'table product: column code: type character varying(9) now, text before',
      'table product: column price: not null none now, yes before',
    ]);
    await migrator.redo();
    await db.orm.em.execute(`alter table product alter name set default 'x'`);
    expect(linesOf(await migrator.drift())).toEqual([
      `table product: column name: default 'x'::text now, 'unnamed'::text before`,
    ]);
  });
});
