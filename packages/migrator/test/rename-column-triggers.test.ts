import { expect, test } from 'vitest';
import { readColumn } from '../src/rename-column/column-with-parts.ts';
import { createSync } from '../src/rename-column/sync-triggers.ts';
import { twinOf } from '../src/rename-column/twin.ts';
import { emptyDatabase, type TestDatabase } from './kit/database.ts';

/** A table of books whose column `title` is kept equal to a new one, `name`. */
async function expanded(title: string, more: readonly string[] = []): Promise<TestDatabase> {
  const db = await emptyDatabase();
  const run = async (statements: readonly string[]): Promise<void> => {
    for (const sql of statements) await db.orm.em.execute(sql);
  };
  await run([`create table books (id int primary key, ${title})`, ...more]);
  const old = await readColumn(db.orm, { schema: 'public', table: 'books', name: 'title' });
  if (!old) throw new Error('the table has no title');
  const twin = twinOf({
    target: { ...old, name: 'name', parts: [] },
    source: 'title',
    default: old.default,
    freeing: new Map(),
  });
  await run([...twin.column, ...createSync({ old, next: 'name' }, old.default), ...twin.rules]);
  return db;
}

/** Returns both columns of all rows, after statements that run one after the other. */
async function rowsAfter(db: TestDatabase, statements: readonly string[]): Promise<unknown> {
  for (const sql of statements) await db.orm.em.execute(sql);
  const rows = await db.orm.em.execute<{ title: unknown; name: unknown }[]>(
    'select title, name from books order by id',
  );
  return rows.map(({ title, name }) => [title, name]);
}

test.each<[string, readonly string[], unknown]>([
  [
    'an INSERT of either',
    [`insert into books (id, title) values (1, 'a')`, `insert into books (id, name) values (2, 'b')`],
    [
      ['a', 'a'],
      ['b', 'b'],
    ],
  ],
  ['an INSERT of neither, which has the default', ['insert into books (id) values (1)'], [['none', 'none']]],
  [
    'an INSERT of NULL, which is a value',
    [`insert into books (id, title) values (1, null)`, `insert into books (id, name) values (2, null)`],
    [
      [null, null],
      [null, null],
    ],
  ],
  [
    'an INSERT of two values: the old column',
    [`insert into books (id, title, name) values (1, 'a', 'b')`],
    [['a', 'a']],
  ],
  [
    'an UPDATE of two values: the new column',
    [`insert into books values (1, 'a')`, `update books set title = 'b', name = 'c'`],
    [['c', 'c']],
  ],
  [
    'an UPDATE of two values, of which the old one changes',
    [`insert into books values (1, 'a')`, `update books set title = 'b', name = 'a'`],
    [['b', 'b']],
  ],
  [
    'an UPDATE to NULL',
    [
      `insert into books values (1, 'a'), (2, 'b')`,
      'update books set name = null where id = 1',
      'update books set title = null where id = 2',
    ],
    [
      [null, null],
      [null, null],
    ],
  ],
  [
    'an UPDATE of another column',
    [`insert into books values (1, 'a')`, 'update books set id = 3'],
    [['a', 'a']],
  ],
  [
    'an upsert',
    [
      `insert into books values (1, 'a')`,
      `insert into books (id, name) values (1, 'b') on conflict (id) do update set name = excluded.name`,
      `insert into books (id, title) values (1, 'c') on conflict (id) do update set title = excluded.title || excluded.name`,
    ],
    [['cc', 'cc']],
  ],
  [
    'a MERGE',
    [
      `insert into books values (1, 'a')`,
      `merge into books b using (values (1, 'x'), (2, 'y')) v (id, value) on b.id = v.id when matched then update set name = value when not matched then insert (id, name) values (v.id, value)`,
    ],
    [
      ['x', 'x'],
      ['y', 'y'],
    ],
  ],
  [
    'COPY from a program that writes one of them',
    [
      `copy books (id, name) from program 'printf "1\\tcopied\\n2\\t\\\\\\\\N\\n"'`,
      `copy books (id, title) from program 'printf "3\\told\\n"'`,
    ],
    [
      ['copied', 'copied'],
      [null, null],
      ['old', 'old'],
    ],
  ],
  [
    'a changed default of the new column, and old code',
    [
      `alter table books alter column name set default 'other'`,
      `insert into books (id, title) values (1, 'a')`,
      `insert into books (id, name) values (2, 'b')`,
      'insert into books (id) values (3)',
    ],
    [
      ['a', 'a'],
      ['b', 'b'],
      ['other', 'other'],
    ],
  ],
])('both columns are equal after %s', async (_name, statements, expected) => {
  const db = await expanded(`title varchar(20) default 'none'`);

  expect(await rowsAfter(db, statements)).toEqual(expected);
});

test('both columns are equal where a trigger that knows one of them changes it', async () => {
  const db = await expanded('title text', [
    `create function tidy() returns trigger language plpgsql as 'begin new.title := trim(new.title); return new; end'`,
    'create trigger tidy before insert or update on books for each row execute function tidy()',
  ]);
  const statements = [
    `insert into books (id, name) values (1, ' a '), (2, 'x')`,
    `insert into books (id, title) values (3, ' c ')`,
    `update books set name = ' b ' where id = 2`,
  ];
  expect(await rowsAfter(db, statements)).toEqual([
    ['a', 'a'],
    ['b', 'b'],
    ['c', 'c'],
  ]);
});

test('a required column without a default takes rows of either release', async () => {
  const db = await expanded('title text not null');
  expect(await rowsAfter(db, [`insert into books (id, name) values (1, 'a')`])).toEqual([['a', 'a']]);
  await expect(db.orm.em.execute('insert into books (id) values (2)')).rejects.toThrow(
    'violates not-null constraint',
  );
  await expect(db.orm.em.execute('update books set name = null')).rejects.toThrow(
    'violates not-null constraint',
  );
});

test('values that are equal, but not the same, are copied', async () => {
  const db = await expanded('title numeric');
  expect(await rowsAfter(db, ['insert into books values (1, 1.0)', 'update books set title = 1.00'])).toEqual(
    [['1.00', '1.00']],
  );
});
