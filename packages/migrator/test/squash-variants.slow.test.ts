import { readdir } from 'node:fs/promises';
import type { Options } from '@mikro-orm/postgresql';
import { Migrator, squashMigrations } from 'mikro-orm-safe-migrations';
import { describe, expect, onTestFinished, test } from 'vitest';
import { emptyDatabase, TestDatabase } from './kit/database.ts';
import { startServer } from './kit/server.ts';
import { nameOf, openOrm, projectOf } from './squash-project.ts';
import { chain, made } from './squashed-notes.ts';

describe('squash', () => {
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
});
