import type { Migrations } from '../project.ts';

/** A migration that fails on rows of the tables. */
export interface Failing {
  readonly kind: string;
  readonly up: readonly string[];
  /** The number of rows, by a query; `at least one` where PostgreSQL can only name the first. */
  readonly rows: string;
  readonly before?: Migrations;
}

const failing = (
  kind: string,
  cases: readonly (readonly [sql: string | readonly string[], rows: string])[],
): Failing[] => cases.map(([up, rows]) => ({ kind, up: [up].flat(), rows }));

const every = 'select count(*) from item';

export const failingUps: readonly Failing[] = [
  ...failing('NOT NULL', [
    ['alter table item alter some_null set not null', 'select count(*) from item where some_null is null'],
    [
      'alter table item alter positive set not null, alter equal_or_null set not null',
      'select count(*) from item where equal_or_null is null',
    ],
    [
      'alter table item add constraint named not null some_null',
      'select count(*) from item where some_null is null',
    ],
    [
      'alter table public.item rename some_null to renamed; alter table item alter renamed set not null',
      'select count(*) from item where some_null is null',
    ],
    [['alter table base alter note set not null'], 'select count(*) from base where note is null'],
    [
      [
        'alter table item add constraint late not null some_null not valid',
        'alter table item validate constraint late',
      ],
      'select count(*) from item where some_null is null',
    ],
    [
      [`update item set positive = positive + 1`, 'alter table item alter half set not null'],
      'select count(*) from item where half is null',
    ],
  ]),
  ...failing('primary key', [
    [
      'alter table item drop constraint item_pkey, add primary key (some_equal)',
      `select count(*) from item where some_equal in (select some_equal from item group by 1 having count(*) > 1)`,
    ],
    [
      'alter table item drop constraint item_pkey, add primary key (equal_or_null)',
      'select count(*) from item where equal_or_null is null',
    ],
    [
      [
        'alter table item drop constraint item_pkey',
        'alter table item add constraint pk primary key (room, half)',
      ],
      'select count(*) from item where half is null',
    ],
    ['alter table old_event add primary key (year)', 'select count(*) from old_event'],
    ['alter table sort_a add primary key (kind)', 'select count(*) from sort_a where kind is null'],
    ['alter table spread_0 add column key int primary key', 'select count(*) from spread_0'],
  ]),
  ...failing('unique index', [
    [
      'create unique index on item (some_equal)',
      `select count(*) from item where some_equal in (select some_equal from item group by 1 having count(*) > 1)`,
    ],
    [
      'create unique index one on item (lower(some_equal) desc, (no_null is null))',
      `select count(*) from item where some_equal in (select some_equal from item group by 1 having count(*) > 1)`,
    ],
    [
      'create unique index one on item (room) where id > 20',
      'select count(*) from item where id > 20 and room in (select room from item where id > 20 group by 1 having count(*) > 1)',
    ],
    [
      'create unique index one on item (equal_or_null) nulls not distinct',
      'select count(*) from item where equal_or_null is null and (select count(*) from item where equal_or_null is null) > 1',
    ],
    [
      'create unique index one on item (some_equal collate "C" text_pattern_ops) include (id)',
      `select count(*) from item where some_equal in (select some_equal from item group by 1 having count(*) > 1)`,
    ],
    ['create unique index one on event (year, (id % 2))', 'select count(*) from event'],
  ]),
  ...failing('unique constraint', [
    [
      'alter table item add unique (some_equal)',
      `select count(*) from item where some_equal in (select some_equal from item group by 1 having count(*) > 1)`,
    ],
    [
      'alter table item add constraint two unique (room, half)',
      'select sum(n) as count from (select count(*) as n from item where half is not null group by room, half) g where n > 1',
    ],
    ['alter table item add constraint two unique nulls not distinct (half, feeling)', every],
    [
      'alter table item add unique (some_equal) deferrable initially deferred',
      `select count(*) from item where some_equal in (select some_equal from item group by 1 having count(*) > 1)`,
    ],
    [`alter table item add column state text default 'new' unique`, every],
    [
      [
        'alter table item add column g int generated always as (positive / 2) stored',
        'alter table item add unique (g)',
      ],
      'select count(*) from item where positive / 2 in (select positive / 2 from item group by 1 having count(*) > 1)',
    ],
  ]),
  ...failing('foreign key', [
    [
      'alter table item add foreign key (orphan) references author',
      'select count(*) from item where orphan not in (select id from author)',
    ],
    [
      'alter table item add foreign key (country, city) references place',
      'select count(*) from item where country is not null and city is not null and not exists (select from place p where (p.country, p.city) = (item.country, item.city))',
    ],
    [
      'alter table item add foreign key (country, city) references place match full',
      'select count(*) from item where (country is null) <> (city is null) or country is not null and not exists (select from place p where (p.country, p.city) = (item.country, item.city))',
    ],
    [
      'alter table item add foreign key (parent) references item (id) on delete cascade',
      'select count(*) from item where parent is not null and not exists (select from item i where i.id = item.parent)',
    ],
    [
      'alter table item validate constraint item_author',
      'select count(*) from item where orphan not in (select id from author)',
    ],
    [
      [
        'alter table item add constraint late foreign key (no_null) references author (code) not valid',
        'alter table item validate constraint late',
      ],
      every,
    ],
    [`alter table item add column writer int default 99 references author`, every],
  ]),
  ...failing('CHECK', [
    ['alter table item add check (some_negative > 0)', 'select count(*) from item where some_negative <= 0'],
    [
      `alter table item add constraint c check (item.some_words ~ '^[0-9]+$' and positive is not null)`,
      `select count(*) from item where some_words !~ '^[0-9]+$'`,
    ],
    [
      'alter table item validate constraint item_not_valid',
      'select count(*) from item where some_negative <= 0',
    ],
    [
      [
        'alter table item add constraint late check (twice(some_negative) > 4) not valid',
        'alter table item validate constraint late',
      ],
      'select count(*) from item where 2 * some_negative <= 4',
    ],
    ['alter domain percent validate constraint percent_max', 'select count(*) from item where share > 100'],
    [
      `alter domain label add constraint no_t1 check (value <> 't1' and VALUE is not null)`,
      `select count(*) from item where tag = 't1'`,
    ],
    ['alter table item add column level int default 0 check (level > 0)', every],
    ['alter table item add check (10 / some_negative < 100)', 'at least one'],
  ]),
  ...failing('type change', [
    [
      'alter table item alter some_words type int using some_words::int',
      `select count(*) from item where some_words = 'n/a'`,
    ],
    [
      'alter table item alter some_long type varchar(10)',
      'select count(*) from item where length(some_long) > 10',
    ],
    [
      'alter table item alter some_long type char(10)',
      'select count(*) from item where length(some_long) > 10',
    ],
    ['alter table item alter some_long type bit(3) using substr(some_long, 1, 0)::varbit', every],
    ['alter table item alter some_big type int', 'select count(*) from item where some_big > 2147483647'],
    ['alter table item alter price type numeric(4, 1)', 'select count(*) from item where price >= 999.95'],
    [
      'alter table item alter some_feeling type mood using some_feeling::text::mood',
      `select count(*) from item where some_feeling = 'odd'`,
    ],
    [
      [
        `create type tone as enum ('good', 'so so')`,
        'alter table item alter some_feeling type tone using (some_feeling::tone)',
      ],
      `select count(*) from item where some_feeling = 'odd'`,
    ],
    ['alter table item alter doc type jsonb using doc::jsonb', `select count(*) from item where doc = '{'`],
    ['alter table item alter some_words type int using (some_words::int + 1)', 'at least one'],
    ['alter table item alter positive type int using (1000 / (positive - 7))', 'at least one'],
    [
      `alter table item alter id type int using (price * 1000000)::int`,
      'select count(*) from item where price * 1000000 > 2147483647',
    ],
  ]),
  ...failing('column without a default', [
    ['alter table item add column state text not null', every],
    ['alter table item add column state text not null default null', every],
    ['alter table item add column if not exists a int, add column b uuid not null', every],
    [['alter table item add column state text', 'alter table item alter state set not null'], every],
    [
      ['create domain must as int not null', 'alter table old_event add column state int not null'],
      'select count(*) from old_event',
    ],
    [['alter table event add column state text not null'], 'select count(*) from event'],
  ]),
  ...failing('exclusion', [
    [
      'alter table item add exclude using gist (room with =, during with &&)',
      'select count(*) from item a where exists (select from item b where a.id <> b.id and a.room = b.room and a.during && b.during)',
    ],
    [
      'alter table item add constraint e exclude using gist (room with =, during with &&) where (id > 50)',
      'select count(*) from item a where id > 50 and exists (select from item b where b.id > 50 and a.id <> b.id and a.room = b.room and a.during && b.during)',
    ],
    [
      'alter table item add exclude (some_equal with =)',
      `select count(*) from item where some_equal in (select some_equal from item group by 1 having count(*) > 1)`,
    ],
    [
      'alter table item add exclude using gist (room with =, int4range(id / 4, id / 4 + 1) with &&)',
      'select count(*) from item a where exists (select from item b where a.id <> b.id and a.room = b.room and a.id / 4 = b.id / 4)',
    ],
    [
      'alter table item add exclude using btree (half with =) where (half is not null and id < 100)',
      'select count(*) from item where half is not null and id < 100',
    ],
    [
      'alter table item add exclude using hash (some_equal with =)',
      `select count(*) from item where some_equal in (select some_equal from item group by 1 having count(*) > 1)`,
    ],
  ]),
  ...failing('partition', [
    [
      'alter table event attach partition old_event for values from (2030) to (2031)',
      'select count(*) from old_event where year <> 2030',
    ],
    [
      `alter table sort attach partition sort_a for values in ('a')`,
      `select count(*) from sort_a where kind is distinct from 'a'`,
    ],
    [
      `alter table sort attach partition sort_a for values in ('a', null)`,
      `select count(*) from sort_a where kind = 'b'`,
    ],
    [
      'alter table spread attach partition spread_0 for values with (modulus 3, remainder 0)',
      `select count(*) from spread_0 where not satisfies_hash_partition('spread'::regclass, 3, 0, id)`,
    ],
    [
      'create table event_2026 partition of event for values from (2026) to (maxvalue)',
      'select count(*) from event_other where year >= 2026',
    ],
    [
      [
        'create table event_2024 (like event)',
        'alter table event attach partition event_2024 for values from (minvalue) to (2025)',
      ],
      'select count(*) from event_other where year < 2025',
    ],
  ]),
];
