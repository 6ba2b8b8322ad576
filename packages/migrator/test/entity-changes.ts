import { defineEntity, p, type Options } from '@mikro-orm/postgresql';
import type { CreateOptions } from 'mikro-orm-safe-migrations';

/** A change of a small library's entities, and what is written about it. */
export interface EntityChange {
  readonly name: string;
  readonly entities: NonNullable<Options['entities']>;
  readonly options?: CreateOptions;
  /** Parts of the warnings that are expected, in order; each begins with its direction. */
  readonly warnings: readonly string[];
  /** Where it can't go over the library's rows as it was written, as a warning says, and with which SQLSTATE. */
  readonly fails?: readonly [direction: 'up' | 'down', state: string];
  /** Whether going up and back loses rows or values, as a warning says. */
  readonly lossy?: boolean;
}

const authors = defineEntity({
  name: 'Author',
  tableName: 'authors',
  properties: { id: p.integer().primary(), name: p.string() },
});
const book = { name: 'Book', tableName: 'books' } as const;
const columns = {
  id: p.integer().primary(),
  title: p.string().length(100),
  isbn: p.string().nullable(),
  year: p.integer(),
  state: p.enum(['new', 'old']).nullable(),
};
const writer = { writer: p.integer().fieldName('author_id').nullable() };
const { title: _, ...untitled } = columns;

/** The library as it is before. */
export const library = [authors, defineEntity({ ...book, properties: { ...columns, ...writer } })];

/** Rows of the library. */
export const libraryRows = `
  insert into authors values (1, 'a');
  insert into books (id, title, isbn, year, state, author_id)
    values (1, 'one', '0-1', 1999, 'new', 1), (2, 'it''s "two"', null, 2001, null, null)`;

export const entityChanges: readonly EntityChange[] = [
  {
    name: 'column',
    entities: [
      authors,
      defineEntity({ ...book, properties: { ...columns, ...writer, subtitle: p.text().nullable() } }),
    ],
    warnings: ['down: loses what books.subtitle holds'],
  },
  {
    name: 'column_with_default',
    entities: [
      authors,
      defineEntity({ ...book, properties: { ...columns, ...writer, pages: p.integer().default(7) } }),
    ],
    warnings: ['down: loses what books.pages holds'],
  },
  {
    name: 'column_not_null',
    entities: [
      authors,
      defineEntity({
        ...book,
        properties: { ...columns, ...writer, language: p.string(), pages: p.integer() },
      }),
    ],
    warnings: [
      'up: books.language must not be null and has no default: rows that are there need a value first, as by: update "books" set "language" = …',
      'up: books.pages must not be null and has no default',
      'down: loses what books.language holds',
      'down: loses what books.pages holds',
    ],
    fails: ['up', 'refused'],
  },
  {
    name: 'not_null',
    entities: [authors, defineEntity({ ...book, properties: { ...columns, ...writer, isbn: p.string() } })],
    warnings: ['up: fails where books.isbn is null'],
    fails: ['up', 'refused'],
  },
  {
    name: 'rename',
    entities: [
      authors,
      defineEntity({ ...book, properties: { ...untitled, ...writer, name: p.string().length(100) } }),
    ],
    options: { renames: [{ from: 'books.title', to: 'name' }] },
    warnings: [],
  },
  {
    name: 'rename_that_looks_like_another',
    entities: [
      authors,
      defineEntity({ ...book, properties: { ...untitled, ...writer, name: p.text().nullable() } }),
    ],
    options: { drops: ['books.title'] },
    warnings: [
      'up: loses what books.title holds',
      'down: does not restore table books, order of columns',
      'down: loses what books.name holds',
      'down: books.title must not be null',
    ],
    fails: ['down', '23502'],
  },
  {
    name: 'type',
    entities: [authors, defineEntity({ ...book, properties: { ...columns, ...writer, year: p.bigint() } })],
    warnings: ['down: turns books.year from bigint into integer: fails on rows whose value would change'],
  },
  {
    name: 'key_type',
    entities: [
      authors,
      defineEntity({
        ...book,
        properties: { ...columns, ...writer, id: p.bigint().primary().autoincrement() },
      }),
    ],
    warnings: ['up: the sequence of books.id still ends', 'down: turns books.id from bigint into integer'],
  },
  {
    name: 'index',
    entities: [
      authors,
      defineEntity({ ...book, properties: { ...columns, ...writer, year: p.integer().index() } }),
    ],
    warnings: [],
  },
  {
    name: 'unique',
    entities: [
      authors,
      defineEntity({ ...book, properties: { ...columns, ...writer, isbn: p.string().nullable().unique() } }),
    ],
    warnings: ['up: fails where rows of books share a value that books_isbn_unique wants unique'],
  },
  {
    name: 'foreign_key',
    entities: [
      authors,
      defineEntity({
        ...book,
        properties: { ...columns, author: () => p.manyToOne(authors).nullable().deleteRule('cascade') },
      }),
    ],
    warnings: ['up: fails where rows of books refer to rows that authors has not'],
  },
  {
    name: 'check',
    entities: [
      authors,
      defineEntity({
        ...book,
        properties: { ...columns, ...writer },
        checks: [{ name: 'books_year_range', expression: `year >= 1000 and title <> '\${"\`\\\\'` }],
      }),
    ],
    warnings: ['up: fails where rows of books break books_year_range'],
  },
  {
    name: 'values',
    entities: [
      authors,
      defineEntity({
        ...book,
        properties: { ...columns, ...writer, state: p.enum(['old', 'lost']).nullable() },
      }),
    ],
    warnings: [
      'up: fails where rows of books break books_state_check',
      'down: fails where rows of books break books_state_check',
    ],
    fails: ['up', 'refused'],
  },
  {
    name: 'json_default',
    entities: [
      authors,
      defineEntity({
        ...book,
        properties: {
          ...columns,
          ...writer,
          tags: p.json().default(JSON.stringify({ its: ['a; b', '$$', '`${x}`'] })),
        },
      }),
    ],
    warnings: ['down: loses what books.tags holds'],
  },
  {
    name: 'table',
    entities: [
      ...library,
      defineEntity({
        name: 'Loan',
        tableName: 'loans',
        properties: {
          id: p.integer().primary(),
          author: () => p.manyToOne(authors).index(),
          since: p.datetime().defaultRaw('now()'),
          note: p.text().nullable(),
        },
        checks: [{ name: 'loans_note_not_empty', expression: `note <> ''` }],
        uniques: [{ properties: ['author', 'since'] }],
      }),
    ],
    warnings: ['down: loses the rows of loans'],
  },
  {
    name: 'no_table',
    entities: [defineEntity({ ...book, properties: { ...columns, ...writer } })],
    options: { drops: ['authors'] },
    warnings: ['up: loses the rows of authors'],
    lossy: true,
  },
  {
    name: 'trigger',
    entities: [
      authors,
      defineEntity({
        ...book,
        properties: { ...columns, ...writer },
        triggers: [
          {
            name: 'books_keep_year',
            timing: 'before',
            events: ['update'],
            forEach: 'row',
            body: `new.year := old.year; return new`,
          },
        ],
      }),
    ],
    warnings: [],
  },
  {
    name: 'check_that_postgres_rewrites',
    entities: [
      authors,
      defineEntity({
        ...book,
        properties: { ...columns, ...writer },
        checks: [{ name: 'books_year_between', expression: 'year between 1000 and 3000' }],
      }),
    ],
    warnings: ['up: fails where rows'],
  },
  {
    name: 'unique_expression',
    entities: [
      authors,
      defineEntity({
        ...book,
        properties: { ...columns, ...writer },
        uniques: [
          {
            name: 'books_title_lower',
            expression: 'create unique index books_title_lower on books (lower(title))',
          },
        ],
      }),
    ],
    warnings: ['up: fails where rows of books share'],
  },
];
