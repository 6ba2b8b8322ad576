import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Migrator, backfill, squashMigrations, standalone } from 'mikro-orm-safe-migrations';
import { describe, expect, test } from 'vitest';
import { emptyDatabase } from './kit/database.ts';
import { nameOf, openOrm, projectOf } from './squash-project.ts';
import { chain, made } from './squashed-notes.ts';

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

  test('has no `down` where a migration has none', async () => {
    const [db, fresh] = [await emptyDatabase(), await emptyDatabase()];
    const { path, open } = await projectOf(db, { ...chain, gone: { up: ['drop view notes'], down: null } });

    expect(await squashMigrations(open(), { to: nameOf(3, 'gone') })).toMatchObject({ reversible: false });

    const migrator = new Migrator(openOrm(fresh, { path }));
    await migrator.up();
    await expect(migrator.down()).rejects.toThrow("can't be reverted");
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
