import { p } from '@mikro-orm/postgresql';
import { tableOf, type Entities } from './created-project.ts';

/** A table with a column that gets another name. */
interface RenamedKind {
  readonly name: string;
  readonly made: readonly string[];
  /** Inserts rows; the first column is the key. */
  readonly rows: readonly string[];
  /** The table of the column, as in SQL. */
  readonly table?: string;
  readonly column?: { readonly from: string; readonly to: string };
  /** The oldest server that has it, as `server_version_num`. */
  readonly since?: number;
  /** Entities with the column under a name. */
  readonly entities: (column: string) => Entities;
}

const id = { id: p.integer().primary().autoincrement(false) };
const rows = [`insert into books select n, 'title ' || n from generate_series(1, 2345) n`];

/** Columns of all kinds, with what may belong to them. */
export const renamedKinds: readonly RenamedKind[] = [
  {
    name: 'text, required',
    made: [
      'create table books (id int primary key, title text not null)',
      `comment on column books.title is 'It''s its name'`,
      'grant select (title), update (title) on books to public',
      'alter table books alter column title set storage external, alter column title set statistics 500',
      'alter table books alter column title set compression pglz, alter column title set (n_distinct = 100)',
    ],
    rows,
    entities: (title) => [tableOf('books', { ...id, [title]: p.text() })],
  },
  {
    name: 'varchar with a default, which may be NULL',
    made: [`create table books (id int primary key, title varchar(50) default 'none')`],
    rows: [...rows, 'insert into books values (9001, null)', 'insert into books values (9002)'],
    entities: (title) => [
      tableOf('books', { ...id, [title]: p.string().length(50).nullable().default('none') }),
    ],
  },
  {
    name: 'a default that is another one in each row',
    made: ['create table books (id int primary key, title uuid not null default gen_random_uuid())'],
    rows: ['insert into books select n from generate_series(1, 500) n'],
    entities: (title) => [tableOf('books', { ...id, [title]: p.uuid().defaultRaw('gen_random_uuid()') })],
  },
  {
    name: 'a default that is the time of the transaction',
    made: ['create table books (id int primary key, title timestamptz(3) not null default now())'],
    rows: ['insert into books select n from generate_series(1, 500) n'],
    entities: (title) => [tableOf('books', { ...id, [title]: p.datetime(3).defaultRaw('now()') })],
  },
  {
    name: 'a foreign key with its index',
    made: [
      'create table owners (id int primary key)',
      'create table books (id int primary key, title int null)',
      'alter table books add constraint fk_books_owner foreign key (title) references owners (id) on update cascade on delete set null',
      'create index books_title_index on books (title)',
    ],
    rows: [
      'insert into owners values (1), (2)',
      'insert into books select n, nullif(n % 3, 0) from generate_series(1, 500) n',
    ],
    entities: (title) => {
      const owners = tableOf('owners', id);
      return [
        owners,
        tableOf('books', {
          ...id,
          owner: () =>
            p
              // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entity that `tableOf` returned
              .manyToOne(owners as never)
              .nullable()
              .deleteRule('set null')
              .updateRule('cascade')
              .fieldName(title)
              .foreignKeyName('fk_books_owner')
              .index(),
        }),
      ];
    },
  },
  {
    name: 'a unique constraint under the name of the ORM',
    made: [
      'create table books (id int primary key, title text not null, constraint books_title_unique unique (title))',
    ],
    rows,
    entities: (title) => [tableOf('books', { ...id, [title]: p.text().unique() })],
  },
  {
    name: 'a unique constraint that keeps its name',
    made: [
      'create table books (id int primary key, title text not null, constraint uq_books unique (title))',
      `comment on constraint uq_books on books is 'no two'`,
    ],
    rows,
    entities: (title) => [tableOf('books', { ...id, [title]: p.text().unique('uq_books') })],
  },
  {
    name: 'checks that name it, one with another column',
    made: [
      `create table books (id int primary key, title text not null, pages int not null default 1,
        constraint chk_title check (char_length(title) <= 200), constraint chk_both check (title <> 'none' or pages = 0))`,
    ],
    rows,
    entities: (title) => [
      tableOf(
        'books',
        { ...id, [title]: p.text(), pages: p.integer().default(1) },
        {
          checks: [
            { name: 'chk_title', expression: `char_length(${title}) <= 200` },
            { name: 'chk_both', expression: `${title} <> 'none' or pages = 0` },
          ],
        },
      ),
    ],
  },
  {
    name: 'indexes: of an expression, partial, of several columns',
    made: [
      'create table books (id int primary key, title text, pages int)',
      'create index books_lower on books (lower(title))',
      `create index "Odd index" on books (pages desc, title) include (id) where title <> ''`,
      `comment on index "Odd index" is 'odd'`,
      'create statistics book_pairs (dependencies) on title, pages from books',
    ],
    rows,
    entities: (title) => [
      tableOf('books', { ...id, [title]: p.text().nullable(), pages: p.integer().nullable() }),
    ],
  },
  {
    name: 'an enum of the ORM, by its check',
    made: [
      `create table books (id int primary key, title text not null default 'new', constraint books_title_check check (title in ('new', 'old')))`,
    ],
    rows: [
      `insert into books select n, case when n % 2 = 0 then 'old' else 'new' end from generate_series(1, 500) n`,
    ],
    entities: (title) => [tableOf('books', { ...id, [title]: p.enum(['new', 'old']).default('new') })],
  },
  {
    name: 'a native enum, and an array',
    made: [
      `create type mood as enum ('sad', 'ok')`,
      `create table books (id int primary key, title mood not null default 'ok', tags text[] not null default '{}')`,
    ],
    rows: [
      `insert into books select n, case when n % 2 = 0 then 'sad' else 'ok' end::mood from generate_series(1, 500) n`,
    ],
    entities: (title) => [
      tableOf('books', {
        ...id,
        [title]: p.enum(['sad', 'ok']).nativeEnumName('mood').default('ok'),
        tags: p.array().columnType('text[]').defaultRaw(`'{}'`),
      }),
    ],
  },
  {
    name: 'an array with a default',
    made: [`create table books (id int primary key, title text[] not null default '{a}')`],
    rows: [`insert into books select n, array['x', null, n::text] from generate_series(1, 500) n`],
    entities: (title) => [
      tableOf('books', { ...id, [title]: p.array().columnType('text[]').defaultRaw(`'{a}'`) }),
    ],
  },
  {
    name: 'json, which PostgreSQL does not compare',
    made: [`create table books (id int primary key, title json, other jsonb)`],
    rows: [
      `insert into books select n, case when n % 5 > 0 then json_build_object('a', n) end from generate_series(1, 500) n`,
    ],
    entities: (title) => [
      tableOf('books', {
        ...id,
        [title]: p.json().columnType('json').nullable(),
        other: p.json().nullable(),
      }),
    ],
  },
  {
    name: 'a column from which others are computed',
    since: 180_000,
    made: [
      `create table books (id int primary key, title text not null, loud text generated always as (upper(title)) stored, quiet text generated always as (lower(title)) virtual)`,
      'create index books_loud on books (loud)',
      'alter table books add updated_at timestamptz(6)',
      `create function touch() returns trigger language plpgsql as 'begin new.updated_at := clock_timestamp(); return new; end'`,
      'create trigger set_updated_at before update on books for each row execute function touch()',
    ],
    rows,
    entities: (title) => [
      tableOf('books', {
        ...id,
        [title]: p.text(),
        loud: p.text().generated(`(upper(${title})) stored`).nullable(),
        quiet: p.text().generated(`(lower(${title})) virtual`).nullable(),
        updated_at: p.datetime(6).nullable(),
      }),
    ],
  },
  {
    name: 'quoted names in another schema',
    made: [
      'create schema "Shop floor"',
      'create table "Shop floor"."Old books" ("Id" int primary key, "The title" text not null, constraint "Odd check" check ("The title" <> $$it\'s$$))',
      'create index "Odd index" on "Shop floor"."Old books" ("The title")',
    ],
    rows: [`insert into "Shop floor"."Old books" select n, 'title ' || n from generate_series(1, 1500) n`],
    table: '"Shop floor"."Old books"',
    column: { from: 'The title', to: 'New "name"' },
    entities: (title) => [
      tableOf(
        'Old books',
        {
          id: p.integer().primary().autoincrement(false).fieldName('Id'),
          title: p.text().fieldName(title).index('Odd index'),
        },
        { schema: 'Shop floor' },
      ),
    ],
  },
  {
    name: 'a table with a key of two columns, and triggers that maintain a version and a time',
    made: [
      'create schema shop',
      `create table shop.books (id int, part int, title text not null, row_version int not null default 1, updated_at timestamptz(6), primary key (id, part))`,
      `create function shop.raise() returns trigger language plpgsql as 'begin new.row_version := old.row_version + 1; return new; end'`,
      `create function shop.touch() returns trigger language plpgsql as 'begin new.updated_at := clock_timestamp(); return new; end'`,
      `create trigger raise_row_version before update on shop.books for each row when (new.row_version = old.row_version and new.* is distinct from old.*) execute function shop.raise()`,
      `create trigger set_updated_at before update on shop.books for each row execute function shop.touch()`,
    ],
    rows: [`insert into shop.books select n % 50, n, 'title ' || n from generate_series(1, 2345) n`],
    table: 'shop.books',
    entities: (title) => [
      tableOf(
        'books',
        {
          id: p.integer().primary().autoincrement(false),
          part: p.integer().primary(),
          [title]: p.text(),
          row_version: p.integer().default(1),
          updated_at: p.datetime(6).nullable(),
        },
        { schema: 'shop' },
      ),
    ],
  },
];
