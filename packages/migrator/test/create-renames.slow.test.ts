import { p } from '@mikro-orm/postgresql';
import { describe, expect, test } from 'vitest';
import { UndecidedDropsError, type Rename } from 'mikro-orm-safe-migrations';
import { readCatalog, type Catalog } from '../src/catalog/catalog.ts';
import {
  createdProject,
  outcomeOf,
  referenceTo,
  tableOf,
  valuesOf,
  type Entities,
} from './created-project.ts';

// What the ORM makes of `authors` and `books`, with everything that has a name of its own.
const made = [
  `create type "mood" as enum ('sad', 'ok')`,
  `create table "authors" ("id" serial primary key, "name" varchar(100) not null, "mood" "mood" null)`,
  `create table "books" ("id" serial primary key, "title" varchar(100) not null, "code" varchar(20) null, "state" text not null, "year" int not null, "author_id" int null)`,
  `create index "books_title_index" on "books" ("title")`,
  `alter table "books" add constraint "books_code_unique" unique ("code")`,
  `alter table "books" add constraint "books_state_check" check ("state" in ('new', 'old'))`,
  `alter table "books" add constraint "books_author_id_foreign" foreign key ("author_id") references "authors" ("id") on delete set null`,
];
const rows = [
  `insert into authors (name, mood) values ('a', 'ok'), ('it''s', null)`,
  `insert into books (title, code, state, year, author_id) values ('one', 'x', 'new', 1999, 1), ('two', null, 'old', 2001, null)`,
];

function authors(
  table: string,
  { name = 'name', type = 'mood', schema = undefined as string | undefined } = {},
): Entities[number] {
  return tableOf(
    table,
    { [name]: p.string().length(100), mood: p.enum(['sad', 'ok']).nativeEnumName(type).nullable() },
    schema === undefined ? {} : { schema },
  );
}

function books(
  table: string,
  writers: Entities[number],
  names: Partial<Record<'title' | 'code' | 'state' | 'author', string>> = {},
  options: Record<string, unknown> = {},
): Entities[number] {
  const { title = 'title', code = 'code', state = 'state', author = 'author' } = names;
  return tableOf(
    table,
    {
      [title]: p.string().length(100).index(),
      [code]: p.string().length(20).nullable().unique(),
      [state]: p.enum(['new', 'old']),
      year: p.integer(),
      [author]: referenceTo(writers),
    },
    options,
  );
}

interface Case {
  readonly name: string;
  readonly entities: Entities;
  readonly renames: readonly Rename[];
  /** How the tables are named afterwards. */
  readonly tables?: Readonly<Record<string, string>>;
}

const plain = authors('authors');
const writers = authors('writers', { name: 'full_name' });
const moved = authors('authors', { schema: 'shop' });
const tempered = authors('authors', { type: 'temper' });
const feelingOf = (table: string, type: string) =>
  tableOf(table, {
    name: p.string().length(100),
    feeling: p.enum(['sad', 'ok']).nativeEnumName(type).nullable(),
  });
const feeling = feelingOf('authors', 'temper');
const feelingWriters = feelingOf('writers', 'Temper of all');
const moodless = tableOf('authors', { name: p.string().length(100), temper: p.integer().nullable() });

const cases: readonly Case[] = [
  {
    name: 'a column with an index',
    entities: [plain, books('books', plain, { title: 'name' })],
    renames: [{ from: 'books.title', to: 'name' }],
  },
  {
    name: 'a unique column, named with its table',
    entities: [plain, books('books', plain, { code: 'isbn' })],
    renames: [{ from: 'books.code', to: 'books.isbn' }],
  },
  {
    name: 'a column with a check',
    entities: [plain, books('books', plain, { state: 'status' })],
    renames: [{ from: 'public.books.state', to: 'public.books.status' }],
  },
  {
    name: 'a column with a foreign key',
    entities: [plain, books('books', plain, { author: 'writer' })],
    renames: [{ from: 'books.author_id', to: 'writer_id' }],
  },
  {
    name: 'several columns at once',
    entities: [
      plain,
      books('books', plain, { title: 'name', code: 'isbn', state: 'status', author: 'writer' }),
    ],
    renames: [
      { from: 'books.title', to: 'name' },
      { from: 'books.code', to: 'isbn' },
      { from: 'books.state', to: 'status' },
      { from: 'books.author_id', to: 'writer_id' },
    ],
  },
  {
    name: 'a table that others refer to, and a column of it',
    entities: [writers, books('books', writers)],
    renames: [
      { from: 'authors', to: 'writers' },
      { from: 'authors.name', to: 'full_name' },
    ],
    tables: { authors: 'writers' },
  },
  {
    name: 'a table with indexes, constraints and a sequence',
    entities: [plain, books('works', plain)],
    renames: [{ from: 'books', to: 'works' }],
    tables: { books: 'works' },
  },
  {
    name: 'a native enum',
    entities: [tempered, books('books', tempered)],
    renames: [{ from: 'mood', to: 'temper' }],
  },
  {
    name: 'a native enum, and the column that has it',
    entities: [feeling, books('books', feeling)],
    renames: [
      { from: 'mood', to: 'temper' },
      { from: 'authors.mood', to: 'feeling' },
    ],
  },
  {
    name: 'a native enum, the column that has it, and their table',
    entities: [feelingWriters, books('books', feelingWriters)],
    renames: [
      { from: 'authors', to: 'writers' },
      { from: 'authors.mood', to: 'feeling' },
      { from: 'mood', to: 'Temper of all' },
    ],
    tables: { authors: 'writers' },
  },
  {
    name: 'a table to another schema under another name',
    entities: [plain, books('works', plain, {}, { schema: 'shop' })],
    renames: [{ from: 'books', to: 'shop.works' }],
    tables: { books: 'shop.works' },
  },
  {
    name: 'nothing by name: a schema was added to an entity',
    entities: [plain, books('books', plain, {}, { schema: 'shop' })],
    renames: [],
    tables: { books: 'shop.books' },
  },
  {
    name: 'nothing by name: a schema was added to a table with a native enum',
    entities: [moved, books('books', moved)],
    renames: [],
    tables: { authors: 'shop.authors' },
  },
  {
    name: 'nothing by name: a schema was added to every entity',
    entities: [moved, books('books', moved, {}, { schema: 'shop' })],
    renames: [],
    tables: { authors: 'shop.authors', books: 'shop.books' },
  },
  {
    name: 'a column, and another gets a longer type',
    entities: [
      plain,
      tableOf('books', {
        name: p.string().length(200).index(),
        code: p.string().length(20).nullable().unique(),
        state: p.enum(['new', 'old']),
        year: p.bigint(),
        author: referenceTo(plain),
      }),
    ],
    renames: [{ from: 'books.title', to: 'name' }],
  },
];

/** Returns what has a name of its own in each table. */
function partNames(catalog: Catalog): string[] {
  return [...catalog]
    .flatMap(([object, { parts }]) => [...parts.keys()].map((part) => `${object}: ${part}`))
    .toSorted();
}

/** Returns the catalog that entities create. */
async function catalogOf(entities: Entities): Promise<Catalog> {
  const { db, migrator } = await createdProject({ made: ['select 1'], entities });
  await migrator.up();
  return readCatalog(db.orm);
}

describe('a rename keeps values, and check agrees, for', () => {
  test.each(cases)('$name', async ({ entities, renames, tables = {} }) => {
    const { db, migrator, source } = await createdProject({ made, rows, entities, options: { renames } });
    // In the order of the columns, so that their names don't count.
    const contents = async (names: Readonly<Record<string, string>> = {}) =>
      Promise.all(
        ['authors', 'books'].map((table) =>
          valuesOf(db, `select t::text as line from ${names[table] ?? table} t order by id`),
        ),
      );
    const [before, catalog] = [await contents(), await readCatalog(db.orm)];

    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await contents(tables)).toEqual(before);
    expect(await migrator.check()).toMatchObject({ agrees: true });
    expect(source).not.toMatch(/drop (?:table|column|index|constraint "books|type)|add constraint "books/);
    const after = await readCatalog(db.orm);
    expect(partNames(after)).toEqual(partNames(await catalogOf(entities)));

    expect(await outcomeOf(migrator.down())).toBe('done');
    expect(await contents()).toEqual(before);
    expect(await readCatalog(db.orm)).toEqual(catalog);
    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await readCatalog(db.orm)).toEqual(after);
  });
});

describe('nothing is regarded as renamed without a word', () => {
  const renamedTitle = [plain, books('books', plain, { title: 'name' })];
  test.each<[string, Entities, string[]]>([
    ['a column of the same type', renamedTitle, ['--rename books.title:name or --drop books.title']],
    [
      'two columns of the same type',
      [plain, books('books', plain, { title: 'name', code: 'isbn' })],
      [
        '--rename books.title:name or --rename books.title:isbn or --drop books.title',
        '--rename books.code:name or --rename books.code:isbn or --drop books.code',
      ],
    ],
    ['a table', [writers, books('books', writers)], ['--rename authors:writers or --drop authors']],
    ['a table that nothing replaces', [plain], ['--drop books']],
    [
      'two tables',
      [tableOf('people', {})],
      ['--rename authors:people or --drop authors', '--rename books:people or --drop books'],
    ],
    [
      'a column that nothing of its type replaces',
      [moodless, books('books', moodless)],
      ['--drop authors.mood'],
    ],
  ])('%s', async (_, entities, lines) => {
    const creating = createdProject({ made, entities });

    await expect(creating).rejects.toThrow(UndecidedDropsError);
    await expect(creating).rejects.toThrow(
      `no entity describes these any more, and a migration would drop their values; choose for each:\n${lines.map((line) => `  ${line}`).join('\n')}`,
    );
  });

  test('the message says how a table stays without an entity', async () => {
    await expect(createdProject({ made, entities: [plain] })).rejects.toThrow(
      '--drop books\nIf a table stays without an entity, add it to the option `ignore`, such as "public.audit".',
    );
    await expect(createdProject({ made, entities: renamedTitle })).rejects.not.toThrow('ignore');
  });

  test('a table in another schema with other columns', async () => {
    const entities = [plain, tableOf('books', { title: p.string().length(100) }, { schema: 'shop' })];

    await expect(createdProject({ made, entities })).rejects.toThrow(
      /--rename books:shop\.books keeps its rows; .*ignore/,
    );
  });
});

describe('a rename that is impossible is one clear error', () => {
  test.each<[string, Rename[], string | RegExp]>([
    [
      'an unknown column',
      [{ from: 'books.titel', to: 'name' }],
      'migrations make no books.titel; did you mean books.title?',
    ],
    ['an unknown table', [{ from: 'bookz', to: 'works' }], 'migrations make no bookz; did you mean books?'],
    ['an unknown new name', [{ from: 'books.title', to: 'nome' }], 'entities describe no nome'],
    ['an unknown new table', [{ from: 'books', to: 'workz' }], 'entities describe no workz'],
    ['the same name', [{ from: 'books.title', to: 'title' }], 'both names are the same'],
    ['the same name, qualified', [{ from: 'books.title', to: 'books.title' }], 'both names are the same'],
    [
      'another type',
      [{ from: 'books.title', to: 'pages' }],
      /it changes from character varying\(100\) to integer/,
    ],
    ['a column for a table', [{ from: 'books', to: 'books.name' }], 'books is a table, books.name is not'],
    [
      'a column to another table',
      [{ from: 'books.title', to: 'authors.name' }],
      'only be renamed within its table, which is books',
    ],
    [
      'twice',
      [
        { from: 'books.title', to: 'name' },
        { from: 'books.title', to: 'pages' },
      ],
      'books.title is renamed twice',
    ],
    [
      'two to one',
      [
        { from: 'books.title', to: 'name' },
        { from: 'books.code', to: 'name' },
      ],
      'two are renamed to name',
    ],
    [
      'what entities still describe',
      [{ from: 'books.code', to: 'name' }],
      'entities still describe books.code',
    ],
    ['a name in use', [{ from: 'books.title', to: 'code' }], 'code exists already'],
  ])('%s', async (_, renames, message) => {
    const changed = tableOf('books', {
      name: p.string().length(100).index(),
      pages: p.integer(),
      code: p.string().length(20).nullable().unique(),
      state: p.enum(['new', 'old']),
      year: p.integer(),
      author: referenceTo(plain),
    });

    await expect(createdProject({ made, entities: [plain, changed], options: { renames } })).rejects.toThrow(
      message,
    );
  });
});

test.each(['books.titel', 'authors', 'title', 'year', 'shop.books'])(
  '--drop %s, which nothing would drop, is refused',
  async (name) => {
    await expect(
      createdProject({
        made,
        entities: [plain, books('books', plain, { title: 'name' })],
        options: { drops: ['books.title', name] },
      }),
    ).rejects.toThrow(`--drop ${name}: `);
  },
);

test('the docstring names what is renamed and locked, once', async () => {
  const { source } = await createdProject({
    made,
    entities: [plain, books('works', plain, { title: 'name' }, { schema: 'shop' })],
    options: {
      renames: [
        { from: 'books', to: 'shop.works' },
        { from: 'books.title', to: 'name' },
      ],
    },
  });

  expect(source).toContain(' * Renames books to shop.works and books.title to name.\n');
  expect(source).toContain(' * Locks: can stop reads and writes of books until it has committed.\n');
  expect(source).toContain(' * Going back loses nothing.\n');
});
