/** A migration with a fault, or without one. */
export interface Case {
  readonly kind: string;
  readonly name: string;
  readonly up: readonly string[];
  readonly down: readonly string[];
  readonly loses?: readonly string[];
  readonly refuses?: readonly string[];
  /** What a certificate has to name, and nothing else: `loses`, `refuses` or `differs`, and the object. */
  readonly finds: readonly string[];
}

type Listed = readonly [
  name: string,
  up: string | readonly string[],
  down: string | readonly string[],
  finds: readonly string[],
  declared?: Pick<Case, 'loses' | 'refuses'>,
];

/** Returns cases of a kind. */
export function casesOf(kind: string, listed: readonly Listed[]): Case[] {
  return listed.map(([name, up, down, finds, declared = {}]) => ({
    kind,
    name,
    up: [up].flat(),
    down: [down].flat(),
    finds,
    ...declared,
  }));
}

// An `up` whose only fault can be in its `down`.
const harmless = 'create index if not exists extra_idx on address (city)';
const undone = 'drop index extra_idx';

export const badDowns: readonly Case[] = [
  ...casesOf('a forgotten part', [
    ['an index', 'drop index book_title_idx', [], ['differs table book index book_title_idx']],
    ['a trigger', 'drop trigger touch on author', [], ['differs table author trigger touch']],
    [
      'the action of a key',
      'alter table book drop constraint book_author_id_fkey',
      'alter table book add constraint book_author_id_fkey foreign key (author_id) references author',
      ['differs table book constraint book_author_id_fkey', 'refuses book.author_id'],
    ],
    [
      'the name of a constraint',
      'alter table author drop constraint author_pkey cascade',
      [
        'alter table author add constraint author_key primary key (id)',
        'alter table book add constraint book_author_id_fkey foreign key (author_id) references author on delete cascade',
        'alter table address add constraint address_author_id_fkey foreign key (author_id) references author on delete cascade',
      ],
      ['differs table author constraint author_key', 'differs table author constraint author_pkey'],
    ],
    [
      'the bound of a check',
      'alter table chapter drop constraint chapter_number_check',
      'alter table chapter add constraint chapter_number_check check (number between 1 and 400)',
      ['differs table chapter constraint chapter_number_check', 'refuses chapter.number'],
    ],
    [
      'a part of an index',
      'drop index book_title_idx',
      'create index book_title_idx on book (title) where title is not null',
      ['differs table book index book_title_idx'],
    ],
  ]),
  ...casesOf('another property', [
    [
      'a default',
      'alter table author alter score set default 5',
      'alter table author alter score drop default',
      ['differs table author column score'],
    ],
    [
      'nullability',
      'alter table category alter label drop not null',
      [],
      ['differs table category column label'],
    ],
    [
      'a shorter type',
      'alter table book alter title type varchar(80)',
      'alter table book alter title type varchar(50)',
      ['differs table book column title', 'refuses book.title'],
    ],
    [
      'a comment',
      'comment on table book is null',
      `comment on table book is 'What is read'`,
      ['differs table book'],
    ],
    [
      'the kind of an identity',
      'alter table author alter id set generated always',
      [],
      ['differs table author column id'],
    ],
    [
      'a privilege',
      'grant select on book to public',
      'grant insert on book to public',
      ['differs table book'],
    ],
  ]),
  ...casesOf('something left behind', [
    [
      'another order of columns',
      'alter table author drop bio',
      'alter table author add bio text',
      ['differs table author'],
      { loses: ['author.bio: dropped'] },
    ],
    [
      'a value of an enum',
      `alter type status add value if not exists 'archived'`,
      [],
      ['differs type status'],
    ],
    ['a table', 'create table if not exists note (id int)', [], ['differs table note']],
    [
      'a function',
      `create or replace function one() returns int language sql as 'select 1'`,
      [],
      ['differs function one()'],
    ],
    [
      'a column',
      'alter table address add if not exists country text',
      [],
      ['differs table address column country'],
    ],
    [
      'rows of its own',
      `insert into category (id, label) values ('root-of-all', 'Root') on conflict do nothing`,
      [],
      ['loses category'],
    ],
  ]),
  ...casesOf('lost rows', [
    ['by a number', harmless, [undone, 'delete from chapter where number > 100'], ['loses chapter']],
    ['of a whole table', harmless, [undone, 'truncate book_category'], ['loses book_category']],
    ['without a value', harmless, [undone, 'delete from address where zip is null'], ['loses address']],
    [
      'by two conditions',
      harmless,
      [undone, `delete from chapter where title is null and number = 7`],
      ['loses chapter'],
    ],
    ['by a pattern', harmless, [undone, `delete from visit where page like '/drafts/%'`], ['loses visit']],
    [
      'by a regular expression',
      harmless,
      [undone, String.raw`delete from visit where page ~ '^/[a-z]{2}/\d{4}$'`],
      ['loses visit'],
    ],
    [
      'by a value that the code writes later',
      `alter table category add if not exists kind text`,
      [`delete from category where kind = 'temporary'`, 'alter table category drop kind'],
      ['loses category', 'refuses category.parent_id'],
      { loses: ['category.kind: dropped'] },
    ],
    [
      'in a block',
      harmless,
      [undone, `do $$ begin delete from loan where reader = 'nobody' or reader is null; end $$`],
      ['loses loan'],
    ],
    [
      'in an archive that is half restored',
      [
        `create table archive as select * from chapter where number >= 50`,
        'delete from chapter where number >= 50',
      ],
      [
        'insert into chapter select * from archive where title is not null on conflict do nothing',
        'drop table archive',
      ],
      ['loses chapter', 'refuses chapter.book_id', 'refuses chapter.number'],
      { loses: ['archive: dropped'] },
    ],
  ]),
  ...casesOf('wrong values', [
    ['in lower case', 'update author set name = lower(name)', [], ['loses author.name']],
    [
      'put together from parts',
      [
        'alter table author add first text, add last text',
        `update author set first = split_part(name, ' ', 1), last = split_part(name, ' ', 2), name = ''`,
      ],
      [`update author set name = first || ' ' || last`, 'alter table author drop first, drop last'],
      ['loses author.name', 'refuses author.name'],
      { loses: ['author.first: dropped', 'author.last: dropped'] },
    ],
    [
      'of two that became one',
      `update book set status = 'open' where status = 'draft'`,
      `update book set status = 'draft' where status = 'open'`,
      ['loses book.status'],
    ],
    [
      'rounded',
      'alter table author alter score type int using round(score)',
      'alter table author alter score type numeric(6,2)',
      ['loses author.score', 'refuses author.score'],
    ],
    ['without spaces', 'update category set label = btrim(label)', [], ['loses category.label']],
    [
      'of a missing case',
      `alter table book add is_open boolean; update book set is_open = status = 'open', published = coalesce(published, '2000-01-01')`,
      [
        `update book set status = case when is_open then 'open' else 'draft' end::status`,
        'alter table book drop is_open',
      ],
      ['loses book.published', 'loses book.status'],
      { loses: ['book.is_open: dropped'] },
    ],
  ]),
  ...casesOf('cut values', [
    [
      'of a text',
      'alter table book alter title type text',
      'alter table book alter title type varchar(60) using left(title, 60)',
      ['loses book.title'],
    ],
    [
      'of a time',
      'alter table book alter published type timestamptz',
      'alter table book alter published type date',
      ['loses book.published'],
    ],
    [
      'with a separator',
      [
        'alter table author alter tags drop default',
        `alter table author alter tags type text using array_to_string(tags, ',')`,
      ],
      [
        `alter table author alter tags type text[] using string_to_array(tags, ',')`,
        `alter table author alter tags set default '{}'`,
      ],
      ['loses author.tags'],
    ],
    [
      'of a number',
      'alter table visit alter hits type bigint',
      'alter table visit alter hits type int using least(hits, 2147483647)',
      ['loses visit.hits', 'refuses visit.hits'],
    ],
    [
      'of a fraction',
      'alter table author alter score type numeric(8,4)',
      'alter table author alter score type numeric(6,2)',
      ['loses author.score', 'refuses author.score'],
    ],
    ['of a code', 'update address set zip = left(zip, 5)', [], ['loses address.zip']],
  ]),
  ...casesOf('swapped columns', [
    [
      'by renaming',
      ['alter table address rename street to line1', 'alter table address rename city to line2'],
      ['alter table address rename line1 to city', 'alter table address rename line2 to street'],
      [
        'differs table address',
        'loses address.city',
        'loses address.line1',
        'loses address.line2',
        'loses address.street',
      ],
    ],
    [
      'by copying',
      [
        'create table place as select author_id, street, city from address',
        'update address set street = null, city = null',
      ],
      [
        'update address set street = place.city, city = place.street from place where place.author_id = address.author_id',
        'drop table place',
      ],
      ['loses address.city', 'loses address.street'],
      { loses: ['place: dropped'] },
    ],
    [
      'only where both have a value',
      harmless,
      [undone, 'update address set street = city, city = street where street <> city'],
      ['loses address.city', 'loses address.street'],
    ],
  ]),
  ...casesOf('sequences', [
    ['restarted', harmless, [undone, 'alter sequence ticket restart'], ['loses ticket']],
    [
      'set to the last row',
      harmless,
      [undone, `select setval('author_id_seq', (select coalesce(max(id), 1) from author))`],
      ['loses author.id'],
    ],
    [
      'made anew',
      'alter table loan alter id drop identity',
      'alter table loan alter id add generated always as identity',
      ['loses loan.id'],
    ],
  ]),
  ...casesOf('removed duplicates', [
    [
      'of rows',
      [
        'delete from category one using category other where one.label = other.label and one.id > other.id and one.parent_id is not null',
        'create index if not exists extra_idx on category (label)',
      ],
      undone,
      ['loses book_category', 'loses category', 'refuses category.parent_id'],
    ],
    [
      'in an array',
      'update author set tags = array(select distinct unnest(tags) order by 1)',
      [],
      ['loses author.tags'],
    ],
    [
      'of what differs in one column',
      harmless,
      [undone, 'delete from visit one using visit other where one.page = other.page and one.at > other.at'],
      ['loses visit'],
    ],
  ]),
  ...casesOf('cascades', [
    [
      'of a parent',
      'alter table loan drop constraint loan_book_id_fkey',
      [
        'delete from author where born is null',
        'alter table loan add constraint loan_book_id_fkey foreign key (book_id) references book not valid',
        'alter table loan validate constraint loan_book_id_fkey',
      ],
      [
        'loses address',
        'loses author',
        'loses book',
        'loses book_category',
        'loses chapter',
        'refuses loan.book_id',
      ],
    ],
    [
      'of a table emptied with others',
      harmless,
      [undone, 'truncate category cascade'],
      ['loses book_category', 'loses category'],
    ],
    [
      'of a few rows',
      harmless,
      [undone, `delete from category where label = 'Unsorted'`],
      ['loses book_category', 'loses category', 'refuses category.parent_id'],
    ],
  ]),
  ...casesOf('documents', [
    [
      'without a key',
      harmless,
      [undone, `update book set data = data - 'note'`],
      ['loses book.data', 'refuses book.data'],
    ],
    [
      'without nulls',
      harmless,
      [undone, 'update book set data = jsonb_strip_nulls(data)'],
      ['loses book.data'],
    ],
    [
      'with a text for a number',
      [
        'alter table book add note text',
        `update book set note = data ->> 'note', data = data - 'note' where data ? 'note' and jsonb_typeof(data) = 'object'`,
      ],
      [
        `update book set data = data || jsonb_build_object('note', note) where note is not null`,
        'alter table book drop note',
      ],
      ['loses book.data'],
      { loses: ['book.note: dropped'] },
    ],
    [
      'with a nested key that is gone',
      harmless,
      [undone, `update book set data = data #- '{price,old}' where data #>> '{price,old}' is not null`],
      ['loses book.data'],
    ],
    [
      'that later are no documents',
      'alter table book alter data type text',
      'alter table book alter data type jsonb using data::jsonb',
      ['refuses book.data'],
    ],
  ]),
  ...casesOf('NULL', [
    [
      'for an empty text',
      `update author set bio = '' where bio is null`,
      `update author set bio = null where bio = ''`,
      ['loses author.bio'],
    ],
    [
      'for zero',
      ['update book set price = 0 where price is null', 'alter table book alter price set not null'],
      ['alter table book alter price drop not null', 'update book set price = null where price = 0'],
      ['loses book.price'],
    ],
    [
      'for a root that is its own parent',
      'update category set parent_id = null where parent_id = id',
      [],
      ['loses category.parent_id'],
    ],
  ]),
  ...casesOf('refused rows', [
    [
      'at the limit of a type',
      [
        'alter table author alter score drop default',
        'alter table author alter score type bigint using (score * 100)::bigint',
        'alter table author alter score set default 0',
      ],
      [
        'alter table author alter score drop default',
        'alter table author alter score type numeric(6,2) using score::numeric / 100',
        'alter table author alter score set default 0',
      ],
      ['refuses author.score'],
    ],
    [
      'without a value',
      'alter table category alter label drop not null',
      'alter table category alter label set not null',
      ['refuses category.label'],
    ],
    [
      'with a duplicate',
      'alter table book drop constraint book_isbn_key',
      'alter table book add constraint book_isbn_key unique (isbn)',
      ['refuses book.isbn'],
    ],
    [
      'of a new rule',
      'alter table author add constraint score_check check (score > 0)',
      'alter table author drop constraint score_check',
      ['refuses author.score'],
    ],
    [
      'of a cast',
      `alter table address alter zip type int using zip::int`,
      'alter table address alter zip type varchar(10)',
      ['loses address.zip', 'refuses address.zip'],
    ],
  ]),
];
