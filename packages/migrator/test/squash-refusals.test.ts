import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MigrationRefusedError, squashMigrations } from 'mikro-orm-safe-migrations';
import { emptyDatabase } from './kit/database.ts';
import { nameOf, projectOf, sourceOf, type Written } from './squash-project.ts';

describe('squash refuses, and writes and deletes nothing', () => {
  const table: Written = { up: ['create table a (id int)'], down: ['drop table a'] };
  const cases: Record<string, readonly [Record<string, Written>, string, string?]> = {
    'a migration that executes a query': [
      { table, query: { up: `await this.execute('insert into a values (1)');` } },
      `${nameOf(1, 'query')} queries the database`,
    ],
    'a migration that uses the entity manager': [
      { table, query: { up: `await this.getEntityManager().execute('select 1');` } },
      `${nameOf(1, 'query')} queries the database`,
    ],
    'a migration that throws': [
      { table, broken: { up: `throw new Error('not today');` } },
      `${nameOf(1, 'broken')} throws "not today"`,
    ],
    'all of these at once': [
      { table, one: { up: `await this.execute('select 1');` }, two: { up: `throw new Error('x');` } },
      `${nameOf(1, 'one')} queries the database, so that its statements depend on it\n  ${nameOf(2, 'two')} throws "x"`,
    ],
    'statements that need separate transactions': [
      {
        tables: {
          up: [
            'create table a (id int primary key)',
            'create table b (a int references a deferrable initially deferred)',
          ],
        },
        data: { up: ['insert into b values (1)', 'insert into a values (1)'] },
        column: { up: ['alter table b add c int'] },
      },
      `the statements of ${nameOf(2, 'column')} can't be part of a squash`,
    ],
    'rows that depend on the transactions': [
      {
        tables: { up: ['create table a (n int)'], down: ['drop table a'] },
        one: { up: ['insert into a values (0)'] },
        two: { up: ['insert into a values (0)'] },
        count: { up: ['insert into a select count(distinct xmin::text) from a'] },
      },
      'public.a: the rows or values differ',
    ],
    'values of a sequence that depend on the transactions': [
      {
        tables: {
          up: ['create table a (n int)', 'create sequence s'],
          down: ['drop table a', 'drop sequence s'],
        },
        one: { up: ['insert into a values (0)'] },
        two: { up: ['insert into a values (0)'] },
        count: { up: [`select setval('s', (select count(distinct xmin::text) from a))`] },
      },
      'public.s: the rows or values differ',
    ],
    'a schema that depends on the transactions': [
      {
        tables: { up: ['create table a (n int)'], down: ['drop table a'] },
        one: { up: ['insert into a values (0)'] },
        two: { up: ['insert into a values (0)'] },
        count: {
          up: [
            `do $$ begin if (select count(distinct xmin::text) from a) > 1 then create table b (); end if; end $$`,
          ],
        },
      },
      'table b: made by the migrations, not by the squash',
    ],
    'what a connection of its own does': [
      {
        table,
        own: {
          up: `const { Client } = await import('pg'); const { clientUrl, dbName } = this.config.getAll();
               const url = new URL(clientUrl); url.pathname = dbName;
               const client = new Client(url.href); await client.connect();
               await client.query('create table if not exists own_' + Date.now() + Math.floor(Math.random() * 1000) + ' ()'); await client.end();`,
        },
      },
      "can't be part of a squash|differs from its migrations",
    ],
    'a `down` with another result': [
      {
        tables: { up: ['create table a (n int)'], down: ['drop table a'] },
        one: { up: ['insert into a values (0)'] },
        two: {
          up: ['insert into a values (0)'],
          down: [
            `do $$ begin if (select count(distinct xmin::text) from a) > 1 then create table b (); end if; end $$`,
          ],
        },
      },
      'after `down`; nothing was written',
    ],
    'only one migration': [{ table }, 'a squash needs at least two'],
    'an unknown one': [{ table, more: { up: [] } }, 'there is no migration "Migration9"', 'Migration9'],
    'a name that would not sort before the next': [
      { table, more: { up: [] } },
      '"no name" can\'t name a migration',
      nameOf(1, 'more'),
    ],
  };

  test.each(Object.entries(cases))('%s', async (title, [migrations, says, to]) => {
    const db = await emptyDatabase();
    const { path, names, open } = await projectOf(db, migrations);
    const before = await readdir(path);

    const refused = squashMigrations(open(), {
      to: to ?? names.at(-1) ?? '',
      ...(title.startsWith('a name') && { name: 'no name' }),
    });

    await expect(refused).rejects.toThrow(MigrationRefusedError);
    await expect(refused).rejects.toThrow(says.includes('|') ? new RegExp(says) : says);
    expect(await readdir(path)).toEqual(before);
  });

  test('a name that sorts after the next migration', async () => {
    const db = await emptyDatabase();
    const { path, names, open } = await projectOf(db, { table, more: { up: [] } });
    await writeFile(join(path, 'Migration20260102000000_pending.ts'), sourceOf('Pending', { up: [] }));

    await expect(squashMigrations(open(), { to: names[1] ?? '' })).rejects.toThrow(
      'would not sort before Migration20260102000000_pending: choose another --name',
    );
    await squashMigrations(open(), { to: names[1] ?? '', name: 'first' });
  });
});
