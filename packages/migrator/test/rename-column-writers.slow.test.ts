import { setTimeout } from 'node:timers/promises';
import { p } from '@mikro-orm/postgresql';
import { expect, test } from 'vitest';
import { ColumnWriter } from './column-writer.ts';
import { tableOf } from './created-project.ts';
import type { TestDatabase } from './kit/database.ts';
import { renamedProject, type RenamedProject } from './renamed-project.ts';

const made = [
  `create table books (id int primary key, title varchar(40) default 'none', pages int, row_version int not null default 1, updated_at timestamptz,
    constraint chk_title check (title <> 'bad'))`,
  'create index books_title_index on books (title)',
  `create function raise() returns trigger language plpgsql as 'begin new.row_version := old.row_version + 1; return new; end'`,
  `create trigger raise_row_version before update on books for each row
    when (new.row_version = old.row_version and new.* is distinct from old.*) execute function raise()`,
  `create function touch() returns trigger language plpgsql as 'begin new.updated_at := now(); return new; end'`,
  'create trigger set_updated_at before update on books for each row execute function touch()',
];

const books = tableOf('books', {
  id: p.integer().primary().autoincrement(false),
  name: p.string().length(40).nullable().default('none').index(),
  pages: p.integer().nullable(),
  row_version: p.integer().default(1),
});

const count = 20_000;

function projectWithRows(): Promise<RenamedProject> {
  return renamedProject({
    made,
    rows: [`insert into books (id, title) select n, 'title ' || n from generate_series(1, ${count}) n`],
    entities: [books],
  });
}

async function hasColumn(db: TestDatabase, name: string): Promise<boolean> {
  const found = await db.orm.em.execute(
    `select 1 from pg_attribute where attrelid = 'books'::regclass and attname = '${name}'`,
  );
  return found.length > 0;
}

/** Rows whose columns differ, and untouched ones that are not as they were. */
async function wrong(
  db: TestDatabase,
  touched: readonly number[],
  column: 'title' | 'name',
): Promise<unknown> {
  const columns = [await hasColumn(db, 'title'), await hasColumn(db, 'name')];
  const unequal = columns.every(Boolean) ? 'title is distinct from name' : 'false';
  return db.orm.em.execute(
    `select id from books where ${unequal}
       or id <= ${count} and id <> all(array[${[0, ...touched].join(', ')}]) and (${column} is distinct from 'title ' || id or row_version <> 1 or updated_at is not null) limit 3`,
  );
}

test('code of both releases writes without a failure while both parts go up and down', async () => {
  const project = await projectWithRows();
  const { db } = project;
  const foreign = {
    old: [1, 900, 5_000, 9_999, 15_000, 19_990],
    next: [2, 901, 5_001, 9_998, 15_001, 19_991],
  };
  const touched = [...foreign.old, ...foreign.next];
  await project.create('rename', { renameColumn: { from: 'books.title', to: 'name' } });
  const old = await ColumnWriter.of(db, 'title', { first: 100_000, foreign: foreign.old });
  const next = await ColumnWriter.of(db, 'name', { first: 500_000, foreign: foreign.next });
  try {
    // Up: the new code begins as soon as the column is there, while rows are filled.
    old.start();
    const up = project.migrator().up();
    while (!(await hasColumn(db, 'name'))) await setTimeout(5);
    next.start();
    await up;
    await setTimeout(500);
    await next.stop();
    expect(await wrong(db, touched, 'name')).toEqual([]);

    // Down and up with the old code, and up with both.
    await project.migrator().down();
    await project.migrator().up();
    next.start();
    await setTimeout(500);
    await Promise.all([old.stop(), next.stop()]);
    expect(await wrong(db, touched, 'name')).toEqual([]);

    // The contract, with the new code; after its `down`, both run again.
    await project.create('contract', { contract: 'books.title' });
    next.start();
    await project.migrator().up();
    expect(await hasColumn(db, 'title')).toBe(false);
    const down = project.migrator().down();
    while (!(await hasColumn(db, 'title'))) await setTimeout(5);
    await down;
    old.start();
    await setTimeout(500);
    await Promise.all([old.stop(), next.stop()]);
    expect(await wrong(db, touched, 'title')).toEqual([]);
  } finally {
    await Promise.all([old.close(), next.close()]);
  }
  expect({ old: old.failures, next: next.failures }).toEqual({ old: [], next: [] });
  expect(old.written.size).toBeGreaterThan(100);
  expect(next.written.size).toBeGreaterThan(100);
}, 120_000);

test.each(['up', 'down'] as const)(
  'a fill that is interrupted, of %s, resumes with what was written meanwhile',
  async (direction) => {
    const project = await projectWithRows();
    const { db } = project;
    await project.create('rename', { renameColumn: { from: 'books.title', to: 'name' } });
    if (direction === 'down') {
      await project.migrator().up();
      await project.create('contract', { contract: 'books.title' });
      await project.migrator().up();
    }
    const stopping = new AbortController();
    const interrupted = project.migrator(undefined, {
      signal: stopping.signal,
      onEvent: ({ kind }) => {
        if (kind === 'batch') stopping.abort();
      },
    });
    await expect(interrupted[direction]()).rejects.toMatchObject({ code: 'interrupted' });
    const unequal = 'select count(*)::int as rows from books where title is distinct from name';
    const [left] = await db.orm.em.execute<{ rows: number }[]>(unequal);
    expect(left?.rows).toBeGreaterThan(10_000);
    const [known, other] = direction === 'up' ? ['title', 'name'] : ['name', 'title'];
    // In rows before and behind the position.
    await db.orm.em.execute(`update books set ${known} = 'changed' where id in (3, 19000)`);
    await db.orm.em.execute(`update books set ${other} = 'changed too' where id in (4, 19001)`);
    await db.orm.em.execute(`delete from books where id = 19002`);

    await project.migrator()[direction]();

    expect(await db.orm.em.execute(unequal)).toEqual([{ rows: 0 }]);
    expect(await wrong(db, [3, 4, 19_000, 19_001, 19_002], 'title')).toEqual([]);
    expect(
      await db.orm.em.execute('select title, name from books where id in (3, 4, 19000, 19001) order by id'),
    ).toEqual([
      { title: 'changed', name: 'changed' },
      { title: 'changed too', name: 'changed too' },
      { title: 'changed', name: 'changed' },
      { title: 'changed too', name: 'changed too' },
    ]);
  },
);
