import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Options } from '@mikro-orm/postgresql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator, backfill, squashMigrations, standalone } from 'mikro-orm-safe-migrations';
import { readCatalog } from '../src/catalog/catalog.ts';
import { emptyDatabase, TestDatabase } from './kit/database.ts';
import { readRows } from './kit/read-rows.ts';
import { startServer } from './kit/server.ts';
import { nameOf, openOrm, projectOf, type Written } from './squash-project.ts';

/** What a database holds that a migration made. */
async function made({ orm }: TestDatabase) {
  return { catalog: await readCatalog(orm), rows: await readRows(orm.em) };
}

const odd = String.raw`insert into note (body) values ('back\slash, ${'`'}tick${'`'}, ${'${'}not a template}, ☃')`;

const chain = {
  tables: {
    up: [
      'create table note (id serial primary key, body text not null)',
      `create function stamp() returns trigger language plpgsql as $$
  begin
    new.body := new.body || E'\n\t.'; -- a comment;
    return new;
  end
$$`,
      'create trigger stamp before insert on note for each row execute function stamp()',
    ],
    down: ['drop table note', 'drop function stamp'],
  },
  data: {
    up: [odd, `insert into note (body) values ('carriage\rreturn'), ('line\r\nend') -- twice`],
    down: ['truncate note restart identity'],
  },
  views: {
    up: ['create view notes as select id, body from note', `comment on view notes is 'all of them'`],
    down: ['drop view notes'],
  },
} satisfies Record<string, Written>;

describe('squash', () => {
  test('writes one migration with the same statements, and deletes the files that it replaces', async () => {
    const [db, fresh, used] = [await emptyDatabase(), await emptyDatabase(), await emptyDatabase()];
    const { path, names, open } = await projectOf(db, {
      ...chain,
      later: { up: ['create table later (id int)'], down: ['drop table later'] },
    });
    await new Migrator(openOrm(used, { path })).up();
    const expected = await made(used);
    const [, , third = '', later = ''] = names;

    const squash = await squashMigrations(open(), { to: third });

    const name = 'Migration20260103000000_squash';
    expect(squash).toEqual({
      name,
      path: join(path, `${name}.ts`),
      replaces: names.slice(0, 3),
      deleted: names.slice(0, 3).map((one) => join(path, `${one}.ts`)),
      reversible: true,
      notCompared: [],
      leftOut: [],
    });
    expect(await readdir(path)).toEqual([`${name}.ts`, `${later}.ts`]);
    const statements = await new Migrator(openOrm(fresh, { path })).planUp({ from: null, to: name });
    expect(statements[0]?.statements.slice(2, -1)).toEqual([
      ...chain.tables.up,
      ...chain.data.up,
      ...chain.views.up,
    ]);
    await new Migrator(openOrm(fresh, { path })).up();
    expect(await made(fresh)).toEqual(expected);
    expect(await new Migrator(openOrm(used, { path })).up()).toEqual([]);
    expect(await made(used)).toEqual(expected);
    expect((await new Migrator(openOrm(used, { path })).check()).migrations).toEqual([]);
    await new Migrator(openOrm(used, { path })).down({ all: true });
    expect((await made(used)).rows).toEqual({});
    // Nothing was changed in the connected database.
    expect((await made(db)).rows).toEqual({});
  });

  test('leaves no scratch database', async () => {
    const server = await startServer();
    onTestFinished(() => server.stop());
    await using db = await TestDatabase.create({ url: server.url, prefix: 'alone' });
    const { open } = await projectOf(db, chain);

    await squashMigrations(open(), { to: nameOf(2, 'views') });

    expect(await db.orm.em.execute(`select datname from pg_database where datname like '%scratch%'`)).toEqual(
      [],
    );
  });

  test('runs statement by statement where one of the migrations does, each other one in its own transaction', async () => {
    const [db, fresh] = [await emptyDatabase(), await emptyDatabase()];
    const { path, open } = await projectOf(db, {
      tables: {
        up: [
          'create temp table source on commit drop as select generate_series(1, 5) as id',
          'create table kept as select id, id * 2 as twice from source -- from it',
          'alter table kept add primary key (id)',
        ],
        down: ['drop table kept'],
      },
      index: {
        up: [
          'create index concurrently kept_id on kept (id)',
          'vacuum kept',
          standalone('analyze kept', { idempotent: true }),
        ],
        down: ['drop index concurrently kept_id'],
        transactional: false,
      },
      data: {
        up: [backfill('kept', { by: 'id', set: 'twice = twice + 1', batch: 2 })],
        transactional: false,
      },
    });

    const squash = await squashMigrations(open(), { to: nameOf(2, 'data'), name: 'first_release' });

    expect(squash).toMatchObject({ name: 'Migration20260103000000_first_release', reversible: true });
    await new Migrator(openOrm(fresh, { path })).up();
    expect((await made(fresh)).rows).toEqual({ kept: ['(1,3)', '(2,5)', '(3,7)', '(4,9)', '(5,11)'] });
  });

  test('does not compare columns whose values differ each time, and reports them', async () => {
    const db = await emptyDatabase();
    const { open } = await projectOf(db, {
      tables: {
        up: [
          'create table person (id uuid default gen_random_uuid(), name text, at timestamptz default clock_timestamp())',
        ],
        down: ['drop table person'],
      },
      data: { up: [`insert into person (name) values ('Ada'), ('Grace')`] },
    });

    const { notCompared } = await squashMigrations(open(), { to: nameOf(1, 'data') });

    expect(notCompared).toEqual(['public.person.id', 'public.person.at']);
  });

  test.each(['table noise', 'public.noise', 'table noi*'])(
    'leaves out what is ignored: %s',
    async (pattern) => {
      const db = await emptyDatabase();
      const { names, open } = await projectOf(db, {
        noise: { up: ['create table noise (at float)', 'insert into noise values (random())'] },
        other: { up: ['create table other (id int)'] },
      });

      const squash = await squashMigrations(open(), { to: names[1] ?? '', ignore: [pattern] });

      expect(squash.notCompared).toEqual([]);
    },
  );

  test('has no `down` where a migration has none', async () => {
    const [db, fresh] = [await emptyDatabase(), await emptyDatabase()];
    const { path, open } = await projectOf(db, { ...chain, gone: { up: ['drop view notes'], down: null } });

    expect(await squashMigrations(open(), { to: nameOf(3, 'gone') })).toMatchObject({ reversible: false });

    const migrator = new Migrator(openOrm(fresh, { path }));
    await migrator.up();
    await expect(migrator.down()).rejects.toThrow("can't be reverted");
  });

  test('squashes a squash', async () => {
    const [db, used] = [await emptyDatabase(), await emptyDatabase()];
    const { path, open } = await projectOf(db, chain);
    await new Migrator(openOrm(used, { path })).up();
    const expected = await made(used);

    await squashMigrations(open(), { to: nameOf(1, 'data') });
    await new Migrator(openOrm(used, { path })).up();
    const squash = await squashMigrations(open(), { to: nameOf(2, 'views'), name: 'again' });

    expect(squash.replaces).toEqual(['Migration20260102000000_squash', nameOf(2, 'views')]);
    expect(await new Migrator(openOrm(used, { path })).up()).toEqual([]);
    expect((await new Migrator(openOrm(used, { path })).status()).map(({ condition }) => condition)).toEqual([
      'applied',
    ]);
    expect(await made(used)).toEqual(expected);
  });

  test.each<[string, Options['migrations'] & object, string]>([
    ['a module of JavaScript', { emit: 'js' }, 'js'],
    ['CommonJS', { emit: 'cjs' }, 'cjs'],
  ])('is %s where the configuration says so', async (_, options, extension) => {
    const [db, fresh] = [await emptyDatabase(), await emptyDatabase()];
    const { path, open } = await projectOf(db, chain, options);

    const squash = await squashMigrations(open(), { to: nameOf(2, 'views') });

    expect(await readdir(path)).toEqual([`${squash.name}.${extension}`]);
    const runs = await new Migrator(openOrm(fresh, { path })).up();
    expect(runs.map(({ name }) => name.replace('.cjs', ''))).toEqual([squash.name]);
  });

  test('is in the folder of the last one, and is read there without running its code', async () => {
    const db = await emptyDatabase();
    const { path, names, open } = await projectOf(db, chain, { glob: '**/!(*.d).{js,ts}' });
    await mkdir(join(path, '2026'));
    for (const name of names) {
      await writeFile(join(path, '2026', `${name}.ts`), await readFile(join(path, `${name}.ts`)));
      await rm(join(path, `${name}.ts`));
    }
    await new Migrator(open()).up();

    const squash = await squashMigrations(open(), { to: names[1] ?? '' });

    expect(dirname(squash.path)).toBe(join(path, '2026'));
    await writeFile(squash.path, `throw new Error('it ran');\n${await readFile(squash.path, 'utf8')}`);
    expect((await new Migrator(open()).status()).map(({ condition }) => condition)).toEqual([
      'takeover',
      'applied',
    ]);
  });
});
