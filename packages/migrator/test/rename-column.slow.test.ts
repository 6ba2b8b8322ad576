import { p } from '@mikro-orm/postgresql';
import { expect, test } from 'vitest';
import { MigrationRefusedError, type CreateOptions } from 'mikro-orm-safe-migrations';
import { readCatalog } from '../src/catalog/catalog.ts';
import { differences } from '../src/catalog/differences.ts';
import { tableOf, type Entities } from './created-project.ts';
import { renamedProject, type RenamedProject } from './renamed-project.ts';

const id = { id: p.integer().primary().autoincrement(false) };

/** A table whose column `title` is `name` in its entity. */
async function booksProject(
  columns = 'title text',
  entity: Record<string, unknown> = { name: p.text().nullable() },
  more: readonly string[] = [],
): Promise<RenamedProject> {
  return renamedProject({
    made: [`create table books (id int primary key, ${columns})`, ...more],
    entities: [tableOf('books', { ...id, ...entity })],
  });
}

const renameColumn = { from: 'books.title', to: 'name' };

test('what was written is listed until it is contracted, and going back loses nothing', async () => {
  const project = await booksProject();
  await project.db.orm.em.execute(`insert into books values (1, 'a')`);
  const waiting = [{ table: 'books', column: 'title', by: 'name' }];
  await project.create('rename', { renameColumn });
  await project.migrator().up();

  expect(await project.migrator().replaced()).toEqual(waiting);
  expect(await project.migrator().check()).toMatchObject({ agrees: true, replaced: waiting });
  expect(await project.migrator().drift()).toMatchObject({ differences: [] });
  expect(await project.migrator().lossesOfDown()).toEqual({ tables: [], unknown: null });
  expect(await project.create('more', {})).toBeNull();

  await project.create('contract', { contract: 'books.title' });
  await project.migrator().up();
  expect(await project.migrator().replaced()).toEqual([]);
});

test('the actions of both foreign keys agree', async () => {
  const owners = tableOf('owners', id);
  const project = await renamedProject({
    made: [
      'create table owners (id int primary key)',
      'create table books (id int primary key, title int references owners on update cascade on delete set null)',
    ],
    rows: ['insert into owners values (1), (2)', 'insert into books values (1, 1), (2, 2)'],
    entities: [owners, tableOf('books', { ...id, name: p.integer().nullable() })],
  });
  const created = await project.create('rename', { renameColumn });
  expect(await project.source(created)).toContain('stops writes to owners');
  await project.migrator().up();

  await project.db.orm.em.execute('update owners set id = 10 where id = 1; delete from owners where id = 2');

  expect(await project.db.orm.em.execute('select * from books order by id')).toEqual([
    { id: 1, title: 10, name: 10 },
    { id: 2, title: null, name: null },
  ]);
});

interface Refusal {
  readonly name: string;
  readonly columns?: string;
  readonly entity?: Record<string, unknown>;
  readonly more?: readonly string[];
  readonly options?: CreateOptions;
  readonly message: string;
}

test.each<Refusal>([
  {
    name: 'an unknown column',
    options: { renameColumn: { from: 'books.titel', to: 'name' } },
    message: "can't rename books.titel to name: migrations make no books.titel; did you mean books.title?",
  },
  {
    name: 'a table',
    options: { renameColumn: { from: 'books', to: 'volumes' } },
    message: 'entities describe no volumes',
  },
  {
    name: 'a column that the entities still have',
    entity: { title: p.text().nullable(), name: p.text().nullable() },
    message: 'entities still describe books.title',
  },
  {
    name: 'a name that the entities lack',
    options: { renameColumn: { from: 'books.title', to: 'label' } },
    message: 'entities describe no label',
  },
  {
    name: 'another type',
    entity: { name: p.integer().nullable() },
    message: 'it changes from text to integer',
  },
  {
    name: 'a column of the key',
    columns: 'title int, unique (title)',
    entity: {},
    options: { renameColumn: { from: 'books.id', to: 'title' } },
    message: 'books.id',
  },
  {
    name: 'an identity column',
    columns: 'title int generated always as identity',
    entity: { name: p.integer() },
    message: 'it is an identity column',
  },
  {
    name: 'a serial column',
    columns: 'title serial',
    entity: { name: p.integer() },
    message: 'it owns a sequence, as serial columns do',
  },
  {
    name: 'a generated column',
    columns: 'n int, title text generated always as (n::text) stored',
    entity: { n: p.integer().nullable(), name: p.text().nullable() },
    message: 'it is a generated column',
  },
  {
    name: 'a column that a view uses',
    more: ['create view shown as select title from books'],
    message: 'view shown uses it: drop that in a migration before this one',
  },
  {
    name: 'a column that a foreign key refers to',
    columns: 'title text unique',
    more: ['create table pages (book text references books (title))'],
    message: 'constraint pages_book_fkey on table pages uses it',
  },
  {
    name: 'a column that a trigger names',
    more: [
      `create function f() returns trigger language plpgsql as 'begin return new; end'`,
      'create trigger watch after update of title on books for each row execute function f()',
    ],
    message: 'trigger watch on table books uses it',
  },
  {
    name: 'a column of a policy',
    more: [`create policy own on books using (title <> '')`],
    message: 'policy own on table books uses it',
  },
  {
    name: 'an exclusion constraint',
    columns: 'title int4range, exclude using gist (title with &&)',
    entity: { name: p.string().columnType('int4range').nullable() },
    message: 'uses it',
  },
  {
    name: 'a domain with a check',
    columns: 'title short',
    more: [],
    message: 'PostgreSQL would rewrite the table for a column of the domain short',
  },
  {
    name: 'both parts at once',
    options: { renameColumn, contract: 'books.title' },
    message: 'are two migrations of two releases',
  },
  {
    name: 'other changes with it',
    options: { renameColumn, drops: ['books.title'] },
    message: '--rename-column writes nothing else',
  },
  {
    name: 'a contract of what nothing replaces',
    options: { contract: 'books.title' },
    message: '--contract books.title: the migrations replace no such column; no column waits',
  },
])('refuses $name', async ({ columns, entity, more, options = { renameColumn }, message }) => {
  const project =
    columns === 'title short'
      ? await renamedProject({
          made: [
            `create domain short as text check (length(value) < 9)`,
            'create table books (id int primary key, title short)',
          ],
          entities: [tableOf('books', { ...id, name: p.text().columnType('short').nullable() })],
        })
      : await booksProject(columns, entity, more);
  const failed = project.create('rename', options);

  await expect(failed).rejects.toBeInstanceOf(MigrationRefusedError);
  await expect(failed).rejects.toThrow(message);
});

test.each<[string, readonly string[], Entities, string]>([
  [
    'a table without a primary key',
    ['create table books (id int, title text)'],
    [tableOf('books', { ...id, name: p.text().nullable() })],
    'its table has no primary key by which batches could be ordered; --rename books.title:name renames it at once',
  ],
  [
    'a partitioned table',
    ['create table books (id int primary key, title text) partition by range (id)'],
    [tableOf('books', { ...id, name: p.text().nullable() })],
    'its table is not an ordinary one',
  ],
])('refuses %s', async (_name, made, entities, message) => {
  const project = await renamedProject({ made, entities });

  await expect(project.create('rename', { renameColumn })).rejects.toThrow(message);
});

test('two columns of a table are renamed at the same time', async () => {
  const project = await booksProject(
    `title text not null, note text, row_version int not null default 1, constraint differ check (title <> note)`,
    { name: p.text(), remark: p.text().nullable(), row_version: p.integer().default(1) },
    [
      `create function raise() returns trigger language plpgsql as 'begin new.row_version := old.row_version + 1; return new; end'`,
      `create trigger raise_row_version before update on books for each row
        when (new.row_version = old.row_version and new.* is distinct from old.*) execute function raise()`,
    ],
  );
  const { db } = project;
  await db.orm.em.execute(
    `insert into books select n, 'title ' || n, nullif('note ' || n, 'note 3') from generate_series(1, 1500) n`,
  );
  const before = await readCatalog(db.orm);
  const rows = () => db.orm.em.execute('select id, name, remark, row_version from books order by id');
  const created = [];
  created.push(await project.create('first', { renameColumn }));
  created.push(await project.create('second', { renameColumn: { from: 'books.note', to: 'remark' } }));
  await project.migrator().up();
  const written = [
    `insert into books (id, title, note) values (9001, 'a', 'b')`,
    `insert into books (id, name, remark) values (9002, 'a', 'b')`,
    `update books set name = 'c', note = 'd' where id = 1`,
    `update books set title = 'e', remark = null where id = 2`,
  ];
  for (const sql of written) await db.orm.em.execute(sql);
  expect(
    await db.orm.em.execute(
      'select title, name, note, remark, row_version from books where id in (1, 2, 3, 9001, 9002) order by id',
    ),
  ).toEqual([
    { title: 'c', name: 'c', note: 'd', remark: 'd', row_version: 2 },
    { title: 'e', name: 'e', note: null, remark: null, row_version: 2 },
    { title: 'title 3', name: 'title 3', note: null, remark: null, row_version: 1 },
    { title: 'a', name: 'a', note: 'b', remark: 'b', row_version: 1 },
    { title: 'a', name: 'a', note: 'b', remark: 'b', row_version: 1 },
  ]);
  const expected = await rows();
  await expect(db.orm.em.execute(`update books set name = 'x', remark = 'x' where id = 1`)).rejects.toThrow(
    'violates check constraint',
  );

  created.push(await project.create('third', { contract: 'books.title' }));
  created.push(await project.create('fourth', { contract: 'books.note' }));
  await project.migrator().up();
  expect(await project.migrator().check()).toMatchObject({
    database: [],
    entityDifferences: [],
    replaced: [],
  });
  const certificates = await project.migrator().verify({ migrations: created.map((one) => one?.name ?? '') });
  expect(certificates.map(({ certificate }) => certificate)).toEqual(
    Array.from({ length: 4 }, () => 'lossless'),
  );

  await project.migrator().down({ steps: 2 });
  expect(await rows()).toEqual(expected);
  expect(
    await db.orm.em.execute(
      'select id from books where title is distinct from name or note is distinct from remark',
    ),
  ).toEqual([]);
  await project.migrator().down({ steps: 2 });
  const left = differences(before, await readCatalog(db.orm)).filter(
    ({ fact }) => fact !== 'order of columns',
  );
  expect(left).toEqual([]);
});

test('refuses the contract of a column that something uses by then', async () => {
  const project = await booksProject();
  await project.create('rename', { renameColumn });
  await project.migrator().up();
  await expect(project.create('contract', { contract: 'books.titel' })).rejects.toThrow(
    'did you mean books.title?',
  );
});
