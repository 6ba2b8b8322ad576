import { describe, expect, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, ormOn, type TestDatabase } from '../kit/database.ts';
import type { Migrations } from '../project.ts';

const first = 'Migration20260101000000_first';
const second = 'Migration20260102000000_second';

const chain = (...then: string[]): Migrations => ({
  [first]: { up: ['create table first (id int)'], down: ['drop table first'] },
  [second]: {
    transactional: false,
    up: ['create table second (id int)', ...then, 'create index concurrently second_by_id on second (id)'],
    down: ['drop table second'],
  },
});

const names = (runs: readonly { readonly name: string }[]) => runs.map(({ name }) => name);

/** A database in which `second` stopped after its first statement. */
async function stopped(): Promise<{ db: TestDatabase; migrator: Migrator; migrations: Migrations }> {
  const db = await emptyDatabase();
  // Fails until there is a row.
  const migrations = chain('select 1 / count(*) from first');
  const migrator = new Migrator(ormOn(db, migrations));
  await expect(migrator.up()).rejects.toThrow(`${second} failed`);
  expect(await progress(db)).toBe(1);
  return { db, migrator, migrations };
}

async function progress({ orm }: TestDatabase): Promise<number> {
  const [row] = await orm.em.execute<{ rows: number }[]>(
    'select count(*)::int as rows from migrator.progress where done',
  );
  return row?.rows ?? -1;
}

describe('an interrupted migration', () => {
  test('restarts when its tables and the log were dropped', async () => {
    const { db, migrator } = await stopped();
    await db.orm.em.execute(`drop table first, second, mikro_orm_migrations`);

    await expect(migrator.up()).rejects.toThrow(`${second} failed in up() at statement 2`);
    await db.orm.em.execute(`insert into first values (1)`);

    expect(names(await migrator.up())).toEqual([second]);
    expect(await progress(db)).toBe(0);
  });

  test('counts as applied when the ORM finished it, and restarts after it was reverted', async () => {
    const { db, migrator, migrations } = await stopped();
    await db.orm.em.execute(`insert into first values (1); drop table second`);
    const theirs = ormOn(db, migrations);
    await theirs.migrator.up();

    expect((await migrator.status()).map(({ condition }) => condition)).toEqual(['applied', 'applied']);
    expect(await migrator.planUp()).toEqual([]);
    expect(await migrator.up()).toEqual([]);
    expect(names(await migrator.down())).toEqual([second]);
    expect(await progress(db)).toBe(0);
    expect(names(await migrator.up())).toEqual([second]);
  });
});

describe("the migrator's tables", () => {
  test.each(['lease', 'progress', 'history'])('%s is created again when it was dropped', async (table) => {
    const db = await emptyDatabase();
    const migrator = new Migrator(ormOn(db, chain()));
    await migrator.up({ to: first });
    await db.orm.em.execute(`drop table migrator.${table}`);

    expect((await migrator.status()).map(({ condition }) => condition)).toEqual(['applied', 'pending']);
    expect(names(await migrator.up())).toEqual([second]);
    expect(names(await migrator.down())).toEqual([second]);
  });

  test('are created again when the whole schema was dropped', async () => {
    const db = await emptyDatabase();
    const migrator = new Migrator(ormOn(db, chain()));
    await migrator.up({ to: first });
    await db.orm.em.execute(`drop schema migrator cascade`);

    expect(names(await migrator.up())).toEqual([second]);
  });
});

describe('a log that lists migrations', () => {
  const functions = { [first]: { up: [`create function f() returns int language sql as 'select 1'`] } };

  test('is trusted where they create no table', async () => {
    const db = await emptyDatabase();
    const migrator = new Migrator(ormOn(db, functions));
    await migrator.up();

    expect(await migrator.up()).toEqual([]);
  });

  test('is trusted where other tables were dropped, or a later migration dropped theirs', async () => {
    const db = await emptyDatabase();
    const migrations = {
      [first]: { up: ['create table first (id int)'] },
      [second]: { up: ['drop table first'] },
    };
    const migrator = new Migrator(ormOn(db, migrations));
    await migrator.up();

    expect(await migrator.up()).toEqual([]);
  });

  test('is trusted where they fail on a scratch database, which lacks what they change', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute(`create type mood as enum ('sad')`);
    const migrations = {
      [first]: { up: [`alter type mood add value 'glad'`] },
      [second]: { up: ['create type other as (a int)'] },
    };
    await new Migrator(ormOn(db, migrations)).up({ to: first });

    expect(names(await new Migrator(ormOn(db, migrations)).up())).toEqual([second]);
  });
});
