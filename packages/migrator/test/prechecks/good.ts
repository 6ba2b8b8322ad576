import { backfill } from 'mikro-orm-safe-migrations';
import type { Migrations } from '../project.ts';

/** Migrations that succeed on the rows of the tables. */
export interface Good {
  readonly title: string;
  readonly migrations: Migrations;
}

const good = (kind: string, cases: readonly (string | readonly string[])[]): Good[] =>
  cases.map((up) => ({
    title: `${kind}: ${[up].flat().join('; ')}`,
    migrations: { M1: { up: [up].flat() } },
  }));

/** In two migrations: PostgreSQL alters no table whose foreign keys still have rows to check. */
const inTwo = (title: string, first: string, second: string): Good => ({
  title,
  migrations: { M1: { up: [first] }, M2: { up: [second] } },
});

const repaired = `update item set some_null = 'was null' where some_null is null`;
const notNull = 'alter table item alter some_null set not null';

export const goodUps: readonly Good[] = [
  ...good('NOT NULL', [
    'alter table item alter no_null set not null, alter positive set not null',
    [repaired, notNull],
    `${repaired}; ${notNull}`,
    ['delete from item where some_null is null', notNull],
    [`do $$ begin ${repaired}; end $$`, notNull],
    ['select repair_all()', notNull],
    [`update audited set note = 'x'`, notNull],
    [`with fixed as (${repaired} returning id) select count(*) from fixed`, notNull],
    [
      `merge into item using author on item.id = author.id * 0 when matched then delete when not matched then do nothing`,
      repaired,
      notNull,
    ],
    [`alter table item drop some_null, add some_null text not null default 'x'`],
    [`alter table item add state text default 'x'`, 'alter table item alter state set not null'],
    [
      `alter table item alter some_null type text using coalesce(some_null, 'x'), alter some_null set not null`,
    ],
    [
      'create schema other',
      'create table other.item (some_null text)',
      'set local search_path to other',
      notNull,
    ],
    ['alter table item rename to old_item', 'create table item (some_null text)', notNull],
    ['alter table item rename some_null to was', `alter table item rename no_null to some_null`, notNull],
    ['truncate derived', 'alter table base alter note set not null'],
    ['alter table only base add constraint base_note check (note is not null) no inherit'],
    ['alter table item add constraint later check (some_null is not null) not valid'],
    [
      'insert into audited (id) values (9) on conflict do nothing',
      `insert into item (id, some_null) select id, 'x' from item where some_null is null on conflict (id) do update set some_null = 'x'`,
      notNull,
    ],
    [
      'drop trigger repairs on audited',
      `create trigger again after insert on audited execute function repair()`,
      'insert into audited values (8)',
      notNull,
    ],
  ]),
  {
    title: 'NOT NULL after an earlier migration',
    migrations: { M1: { up: [repaired] }, M2: { up: [notNull] } },
  },
  {
    title: 'NOT NULL after a backfill',
    migrations: {
      M1: {
        transactional: false,
        up: [
          backfill('item', {
            by: 'id',
            set: `some_null = 'was null'`,
            where: 'some_null is null',
            batch: 100_000,
          }),
        ],
      },
      M2: { up: [notNull] },
    },
  },
  {
    title: 'unique index, concurrently',
    migrations: {
      M1: { transactional: false, up: ['create unique index concurrently one on item (no_equal)'] },
    },
  },
  ...good('unique', [
    'alter table old_event add primary key (id)',
    'alter table item add unique (equal_or_null), add unique (no_equal)',
    'create unique index on item (some_equal) where id > 10',
    'create unique index on item (room, id)',
    'create unique index if not exists item_pkey on item (room)',
    'create unique index on item ((100 / (id - 5)), id) where id > 5',
    'create unique index on item (some_equal, (id % 10))',
    [
      'delete from item a using item b where a.some_equal = b.some_equal and a.id > b.id',
      'create unique index on item (some_equal)',
    ],
    ['create table rooms as select distinct room from item', 'alter table rooms add primary key (room)'],
    'alter table item add column number serial unique',
    'alter table item add column key uuid default gen_random_uuid() unique, add column none text unique',
    [
      'create unique index one on item (no_equal)',
      'alter table item add constraint two unique using index one',
    ],
    [
      'alter table item alter some_equal type text using some_equal || id',
      'alter table item add unique (some_equal)',
    ],
    [
      'alter table item drop constraint item_pkey',
      'create table item_2 (like item)',
      'alter table item_2 add primary key (some_equal)',
    ],
  ]),
  ...good('foreign key', [
    'alter table item add foreign key (no_orphan) references author',
    'alter table item add constraint other foreign key (orphan) references author not valid',
    [
      `insert into author select i, 'b' || i from generate_series(0, 50) i on conflict do nothing`,
      'alter table item validate constraint item_author',
    ],
    [
      'update item set orphan = null where orphan not in (select id from author)',
      'alter table item validate constraint item_author',
    ],
    [
      'create table room (id int primary key)',
      'insert into room select distinct room from item',
      'alter table item add foreign key (room) references room',
    ],
    'alter table item add column writer int references author',
    'alter table item add foreign key (half, some_equal) references place (country, city) not valid',
    'alter table empty_one add foreign key (ref) references author',
  ]),
  ...good('CHECK', [
    'alter table item add check (positive > 0)',
    `alter table item add check (half = 'h'), add check (some_negative is null or some_negative < 2147483647)`,
    [
      `update item set some_negative = 1 where some_negative <= 0`,
      'alter table item validate constraint item_not_valid',
    ],
    'alter table item add column level int default 1 check (level > 0)',
    [
      'create function fine(n int) returns boolean language sql immutable as $$ select true $$',
      'alter table item add check (fine(some_negative))',
    ],
    [
      'create or replace function twice(n int) returns int language sql immutable as $$ select 100 $$',
      'alter table item add check (twice(some_negative) > 4)',
    ],
    ['update item set share = 100 where share > 100', 'alter domain percent validate constraint percent_max'],
    ['alter domain percent drop constraint percent_max', 'alter domain percent add check (value <= 200)'],
    `alter table item add constraint c check (case when some_words <> 'n/a' then some_words::int >= 0 end)`,
    [
      'alter table item drop constraint item_not_valid',
      'alter table item add constraint item_not_valid check (some_negative > -5) not valid',
      'alter table item validate constraint item_not_valid',
    ],
  ]),
  ...good('type change', [
    'alter table item alter all_numbers type int using all_numbers::int',
    [
      `update item set some_words = null where some_words = 'n/a'`,
      'alter table item alter some_words type int using some_words::int',
    ],
    `alter table item alter some_words type int using case when some_words ~ '^\\d+$' then some_words::int end`,
    `alter table item alter some_words type int using nullif(some_words, 'n/a')::int`,
    'alter table item alter some_long type varchar(11)',
    'alter table item alter some_long type varchar(3) using some_long::varchar(3)',
    'alter table item alter price type int using round(price)::int',
    'alter table item alter feeling type mood using feeling::mood',
    [
      `create type tone as enum ('good', 'bad', 'odd')`,
      'alter table item alter some_feeling type tone using some_feeling::text::tone',
    ],
    'alter table item alter at type date, alter positive type bigint',
    `alter table item alter some_words type text[] using array[some_words], alter some_big type text`,
    [`alter type mood add value 'so so'`, 'alter table item alter feeling type mood using feeling::mood'],
  ]),
  ...good('new column', [
    `alter table item add column state text not null default 'new'`,
    'alter table empty_one add column state text not null',
    'alter table item add column g int generated always as (positive * 2) stored not null',
    'alter table item add column n int generated always as identity',
    'alter table item add column if not exists id int not null',
    ['truncate old_event', 'alter table old_event add column state text not null'],
    ['create domain must as int default 1 not null', 'alter table item add column state must'],
  ]),
  inTwo(
    'check: of an enum value that the run adds',
    `alter type mood add value 'odd'`,
    `alter table item add constraint not_odd check (feeling <> 'odd')`,
  ),
  ...good('exclusion', ['alter table item add exclude using gist (room with =, apart with &&)']),
  ...good('partition', [
    [
      'delete from old_event where year <> 2030',
      'alter table event attach partition old_event for values from (2030) to (2031)',
    ],
    `alter table sort attach partition sort_a for values in ('a', 'b', null)`,
    'create table event_2100 partition of event for values from (2100) to (2101)',
    [
      'alter table event detach partition event_other',
      'create table event_2026 partition of event for values from (2026) to (2027)',
    ],
    [
      'with moved as (delete from event_other where year >= 2026 returning *) insert into old_event select * from moved',
      'create table event_2026 partition of event for values from (2026) to (maxvalue)',
    ],
  ]),
  inTwo(
    'NOT NULL after a cascade',
    'delete from item where orphan = 45; delete from author where id = 45',
    'alter table child alter note set not null',
  ),
  inTwo(
    'UNIQUE after an update',
    'alter table item drop constraint item_not_valid; update item set some_equal = some_equal || id where id <= 10',
    'alter table item add unique (some_equal)',
  ),
  inTwo(
    'FOREIGN KEY after an update',
    'alter table item drop constraint item_not_valid; update item set parent = null where id = 5',
    'alter table item add foreign key (parent) references item',
  ),
  inTwo(
    'NOT NULL of a new column after an update',
    `alter table item drop constraint item_not_valid; alter table item add column a text; update item set a = 'x'`,
    'alter table item alter a set not null',
  ),
  inTwo(
    'EXCLUDE after an update',
    'alter table item drop constraint item_not_valid; update item set during = null where id % 100 = 4',
    'alter table item add exclude using gist (room with =, during with &&)',
  ),
];
