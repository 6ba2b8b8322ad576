import { describeDifference, Migrator } from 'mikro-orm-safe-migrations';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readCatalog } from '../src/catalog/catalog.ts';
import { differences } from '../src/catalog/differences.ts';
import { described, project, role } from './checked-project.ts';
import { driftProject } from './drift-project.ts';
import { emptyDatabase, type TestDatabase } from './kit/database.ts';

describe('check finds no difference', () => {
  test('after dropped columns changed the numbers of later ones', async () => {
    const db = await emptyDatabase();
    const orm = project(db);
    const migrator = new Migrator(orm);
    await migrator.up();

    for (let time = 0; time < 3; time++) await migrator.redo();

    expect(await described(orm)).toEqual([]);
  });

  test('where migrations were applied out of order, including the order of columns', async () => {
    const db = await emptyDatabase();
    await new Migrator(project(db, ['Migration1_shop', 'Migration3_phone'])).up();
    const orm = project(db);
    await new Migrator(orm).up({ allowOutOfOrder: true });
    const straight = await emptyDatabase();
    await new Migrator(project(straight)).up();

    expect(await described(orm)).toEqual([]);
    const inOrder = await readCatalog(straight.orm);
    expect(differences(inOrder, await readCatalog(orm)).map(describeDifference)).toEqual([
      'table customer: order of columns id, name, phone, email in the database, id, name, email, phone by the migrations',
    ]);
  });

  test.each([
    `encoding 'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider libc`,
    `encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' locale_provider libc`,
    `encoding 'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider icu icu_locale 'de-DE'`,
  ])('in a database with %s', async (locale) => {
    const place = await emptyDatabase();
    const [{ version } = { version: 0 }] = await place.orm.em.execute<{ version: number }[]>(
      `select current_setting('server_version_num')::int as version`,
    );
    const name = `${place.target.parts.database}_locale`;
    const clause = version < 150_000 ? locale.replace(/ locale_provider.*/, '') : locale;
    await place.orm.em.execute(`create database "${name}" template template0 ${clause}`);
    onTestFinished(async () => void (await place.orm.em.execute(`drop database "${name}" with (force)`)));
    const url = new URL(place.url);
    url.pathname = name;
    const orm = driftProject(url.href);
    onTestFinished(() => orm.close(true));
    await new Migrator(orm).up();

    expect(await described(orm)).toEqual([]);
  });

  test('in a database with its own search path and migrator schema', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute(`create schema app`);
    await db.orm.em.execute(
      `alter database "${db.target.parts.database}" set search_path = "$user", public, app`,
    );
    await db.orm.em.execute(`alter database "${db.target.parts.database}" set timezone = 'Europe/Berlin'`);
    const orm = project(db);
    await new Migrator(orm, { schema: 'elsewhere' }).up();

    const { database } = await new Migrator(orm, { schema: 'elsewhere' }).check();

    expect(database?.map(describeDifference)).toEqual([
      'schema app: in the database, not made by the migrations',
    ]);
  });
});

/** Makes a check and an index again from the text that PostgreSQL gives of them, as a restored dump does. */
async function writtenAgain({ orm: { em } }: TestDatabase): Promise<{ rows: object[]; again: object[] }> {
  const read = () =>
    em.execute<{ check: string; index: string }[]>(
      `select pg_get_constraintdef(oid) as "check", pg_get_indexdef('product_in_use'::regclass) as index
       from pg_constraint where conname = 'product_state_check'`,
    );
  const rows = await read();
  for (const { check, index } of rows) {
    await em.execute(
      `alter table product drop constraint product_state_check, add constraint product_state_check ${check}`,
    );
    await em.execute(`drop index product_in_use`);
    await em.execute(index);
  }
  return { rows, again: await read() };
}

describe('check ignores', () => {
  test('owners, and grants without effect', async () => {
    const other = await role();
    const db = await emptyDatabase();
    const orm = project(db);
    await new Migrator(orm).up();

    await db.orm.em.execute(`
      alter table product owner to "${other}"; alter table customer owner to "${other}"; alter type size owner to "${other}";
      alter schema stock owner to "${other}"; alter function touch owner to "${other}"; alter view cheap owner to "${other}";
      grant all on product to "${other}"; grant execute on function touch to public, "${other}"; grant all on sale to current_user`);

    expect(await described(orm)).toEqual([]);
  });

  test('how a restored dump prints expressions, but not other changes of a check or an index', async () => {
    const db = await emptyDatabase();
    const orm = project(db);
    await new Migrator(orm).up();
    const { rows, again } = await writtenAgain(db);
    expect(again).not.toEqual(rows);
    expect(await described(orm)).toEqual([]);

    await db.orm.em.execute(
      `alter table product drop constraint product_state_check, add constraint product_state_check check (state in ('new'))`,
    );

    expect(await described(orm)).toEqual([
      expect.stringContaining('table product: constraint product_state_check: definition '),
    ]);
  });

  test('effects of default privileges of the database', async () => {
    const reader = await role();
    const db = await emptyDatabase();
    await db.orm.em.execute(`
      alter default privileges grant select on tables to "${reader}"; alter default privileges grant usage on sequences to "${reader}";
      alter default privileges in schema public grant update on tables to "${reader}";
      alter default privileges revoke execute on functions from public`);
    const orm = project(db);
    await new Migrator(orm).up();
    expect(await described(orm)).toEqual([]);

    await db.orm.em.execute(`grant delete on product to "${reader}"`);

    expect(await described(orm)).toEqual([
      `table product: privilege DELETE of ${reader} granted in the database, none by the migrations`,
    ]);
  });
});

async function databasesOf(db: TestDatabase, owner: string): Promise<object[]> {
  return db.orm.em.execute(
    `select datname from pg_database where datdba = (select oid from pg_roles where rolname = ?)`,
    [owner],
  );
}

describe('scratch databases', () => {
  test('are dropped after success and failure', async () => {
    const maker = await role(`superuser login password 'maker'`);
    const db = await emptyDatabase();
    const url = new URL(db.url);
    [url.username, url.password] = [maker, 'maker'];
    const [whole, broken] = [project({ url: url.href }), project({ url: url.href }, ['Migration2_email'])];

    await new Migrator(whole).check();
    await expect(new Migrator(broken).check()).rejects.toThrow('Migration2_email failed');
    await expect(new Migrator(broken).baseline('Migration2_email')).rejects.toThrow(
      'Migration2_email failed',
    );

    expect(await databasesOf(db, maker)).toEqual([]);
    // A role that owns objects can't be dropped.
    await db.orm.em.execute(`drop owned by "${maker}" cascade`);
  });

  test('of killed processes are dropped after an hour', async () => {
    const db = await emptyDatabase();
    const [left, fresh] = [3_700_000, 0].map((age) => `migrator_scratch_${Date.now() - age}_00`);
    await db.orm.em.execute(`create database "${left}"`);
    await db.orm.em.execute(`create database "${fresh}"`);
    onTestFinished(async () => void (await db.orm.em.execute(`drop database "${fresh}"`)));

    await new Migrator(project(db)).check();

    const scratch = await db.orm.em.execute<{ datname: string }[]>(
      `select datname from pg_database where datname like 'migrator\\_scratch\\_%'`,
    );
    const names = scratch.map(({ datname }) => datname);
    expect(names).not.toContain(left);
    expect(names).toContain(fresh);
  });
});
