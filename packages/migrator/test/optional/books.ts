import type { Migrations } from '../project.ts';

export const books = 'Migration20260101000000_books';
export const byTitle = 'Migration20260102000000_by_title';
export const authors = 'Migration20260103000000_authors';
export const byName = 'Migration20260104000000_by_name';
export const prices = 'Migration20260105000000_prices';

/** A chain with two optional migrations, each on a table of the one before it. */
export const shop = {
  [books]: {
    loses: ['books: the table goes'],
    up: ['create table books (id int primary key, title text)'],
    down: ['drop table books'],
  },
  [byTitle]: {
    optional: 'finds books by their titles',
    up: ['create index books_by_title on books (title)'],
    down: ['drop index books_by_title'],
  },
  [authors]: {
    loses: ['authors: the table goes'],
    up: ['create table authors (id int primary key, name text)'],
    down: ['drop table authors'],
  },
  [byName]: {
    optional: 'finds authors by their names',
    loses: ['authors.note: the column goes'],
    up: ['create index authors_by_name on authors (name)', 'alter table authors add note text'],
    down: ['alter table authors drop note', 'drop index authors_by_name'],
  },
  [prices]: {
    loses: ['books.price: the column goes'],
    up: ['alter table books add price int'],
    down: ['alter table books drop price'],
  },
} satisfies Migrations;

/** The names of those that are not optional. */
export const required = [books, authors, prices];
