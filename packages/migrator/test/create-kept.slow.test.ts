import { p } from '@mikro-orm/postgresql';
import { describe, expect, test } from 'vitest';
import { park } from 'mikro-orm-safe-migrations';
import { readCatalog } from '../src/catalog/catalog.ts';
import { createdProject, outcomeOf, tableOf, valuesOf } from './created-project.ts';

const table = `create table t (id serial primary key, a int null, b text null)`;
const columns = { a: p.integer().nullable(), b: p.text().nullable() };
const touch = `create function touch() returns trigger language plpgsql as 'begin return new; end'`;

/** Statements of an earlier migration by hand, and what `create` says of them; null for what the ORM doesn't see. */
const byHand: readonly (readonly [name: string, statements: readonly string[], kept: string | null])[] = [
  [
    'a trigger',
    [touch, 'create trigger t_touch before update on t for each row execute function touch()'],
    'trigger t.t_touch',
  ],
  [
    'a trigger for each statement and one column',
    [touch, 'create trigger "T touch" after update of a on t for each statement execute function touch()'],
    'trigger t.T touch',
  ],
  [
    'a constraint trigger',
    [
      touch,
      'create constraint trigger late after insert on t deferrable initially deferred for each row execute function touch()',
    ],
    'trigger t.late',
  ],
  ['a function', [`create function f(a int) returns int language sql as 'select a'`], 'function f'],
  ['a procedure', [`create procedure go() language sql as 'select 1'`], 'procedure go'],
  ['a view', ['create view totals as select sum(a) from t'], 'view totals'],
  [
    'a materialized view',
    ['create materialized view stats as select count(*) from t'],
    'materialized view stats',
  ],
  ['a policy', ['create policy own on t using (a = 1)'], 'policy t.own'],
  ['row security', ['alter table t enable row level security'], 'row security of t.row security'],
  ['an extra index', ['create index by_a on t (a)'], 'index t.by_a'],
  ['a partial index', ['create unique index only_b on t (b) where a > 0'], 'index t.only_b'],
  ['an index on an expression', ['create index lower_b on t (lower(b))'], 'index t.lower_b'],
  ['a unique constraint', ['alter table t add constraint one_b unique (b)'], 'index t.one_b'],
  ['a check', ['alter table t add constraint positive check (a > 0)'], 'check t.positive'],
  ['a check with the name that PostgreSQL gives', ['alter table t add check (a > 0)'], 'check t.t_a_check'],
  [
    'a check of some values',
    [`alter table t add constraint some_b check (b in ('x', 'y'))`],
    'check t.some_b',
  ],
  [
    'an exclusion constraint',
    ['alter table t add constraint apart exclude using btree (a with =)'],
    'check t.apart',
  ],
  [
    'a foreign key',
    ['alter table t add constraint self foreign key (a) references t (id)'],
    'foreign key t.self',
  ],
  ['a native enum', [`create type size as enum ('small', 'large')`], 'type size'],
  ['a comment on a table', [`comment on table t is 'it''s'`], null],
  ['a comment on a column', [`comment on column t.a is 'an a'`], null],
  ["an extension's view", ['create extension pg_stat_statements'], null],
  ['a grant', ['grant select on t to public'], null],
  ['a rule', ['create rule nothing as on delete to t do also nothing'], null],
  ['statistics', ['create statistics facts on a, b from t'], null],
  [
    'a sequence and a domain',
    ['create sequence numbers', 'create domain amount as int check (value > 0)'],
    null,
  ],
  ['storage parameters', ['alter table t set (fillfactor = 70)'], null],
];

describe('what an entity never described stays', () => {
  test.each(byHand)('%s', async (_, statements, kept) => {
    const project = await createdProject({
      made: [table, ...statements],
      rows: ['insert into t (a, b) values (1, null)'],
      entities: [tableOf('t', { ...columns, c: p.integer().nullable() })],
    });
    const { db, migrator, source } = project;
    const before = await readCatalog(db.orm);

    expect(project.kept).toEqual(kept === null ? [] : [kept]);
    expect(source.match(/addSql\(`[^`]*`\)/g)).toEqual([
      'addSql(`alter table "t" add "c" int null`)',
      'addSql(`alter table "t" drop column "c"`)',
    ]);
    expect(await outcomeOf(migrator.up())).toBe('done');
    // Check counts what the entities could describe, and the ORM would drop.
    const { entities, entityDifferences } = await migrator.check();
    expect(entityDifferences).toEqual([]);
    const isDescribable = kept !== null && !/^(?:trigger|row security)/.test(kept);
    expect(isDescribable || entities.length === 0).toBe(true);
    expect(await outcomeOf(migrator.down())).toBe('done');
    expect(await readCatalog(db.orm)).toEqual(before);
  });
});

describe('what an entity described is dropped', () => {
  test.each<[string, string[], string]>([
    ['an index', ['create index "t_a_index" on "t" ("a")'], 'drop index concurrently "t_a_index"'],
    [
      'a unique constraint',
      ['alter table "t" add constraint "t_b_unique" unique ("b")'],
      'drop constraint "t_b_unique"',
    ],
    [
      'the check of an enum',
      [`alter table "t" add constraint "t_b_check" check ("b" in ('x', 'y'))`],
      'drop constraint "t_b_check"',
    ],
    [
      'a foreign key',
      ['alter table "t" add constraint "t_a_foreign" foreign key ("a") references "t" ("id")'],
      'drop constraint "t_a_foreign"',
    ],
    [
      'a trigger',
      [
        'create function "t_keep_fn"() returns trigger as $$ begin return new; end; $$ language plpgsql',
        'create trigger "keep" before update on "t" for each row execute function "t_keep_fn"()',
      ],
      'drop function if exists "t_keep_fn"()',
    ],
  ])('%s', async (_, statements, sql) => {
    const { db, migrator, source, kept } = await createdProject({
      made: [table, ...statements],
      entities: [tableOf('t', columns)],
    });
    const before = await readCatalog(db.orm);

    expect(kept).toEqual([]);
    expect(source).toContain(sql);
    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await outcomeOf(migrator.down())).toBe('done');
    expect(await readCatalog(db.orm)).toEqual(before);
  });
});

describe('what may be of an entity is dropped by name', () => {
  test.each<[string, string[], string, string]>([
    ['an index', ['create index by_a on t (a)'], 't.by_a', 'drop index concurrently "by_a"'],
    [
      'a check',
      ['alter table t add constraint positive check (a > 0)'],
      't.positive',
      'drop constraint "positive"',
    ],
    ['a view', ['create view totals as select a from t'], 'totals', 'drop view if exists "totals"'],
    ['a policy', ['create policy own on t using (a = 1)'], 't.own', 'drop policy "own"'],
    [
      'row security',
      ['alter table t enable row level security'],
      't.row security',
      'disable row level security',
    ],
    ['a native enum', [`create type size as enum ('small')`], 'size', 'drop type "size"'],
  ])('%s', async (_, statements, name, sql) => {
    const { db, migrator, source, kept } = await createdProject({
      made: [table, ...statements],
      rows: ['insert into t (a) values (1)'],
      entities: [tableOf('t', columns)],
      options: { drops: [name] },
    });
    const [before, rows] = [await readCatalog(db.orm), await valuesOf(db, 'select * from t')];

    expect(kept).toEqual([]);
    expect(source).toContain(sql);
    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await outcomeOf(migrator.down())).toBe('done');
    expect(await readCatalog(db.orm)).toEqual(before);
    expect(await valuesOf(db, 'select * from t')).toEqual(rows);
  });
});

describe('a table that the entities never had is in no direction', () => {
  test.each<[string, string[], string[]]>([
    [
      'of an extension',
      ['create extension lo', 'create table other (id int)', 'alter extension lo add table other'],
      [],
    ],
    ['that is ignored', ['create table other (id int)'], ['other']],
    ['that is ignored by its kind', ['create table other (id int)'], ['table other']],
    ['that is ignored by a pattern with its kind', ['create table other (id int)'], ['table public.oth?r']],
  ])('%s', async (_, statements, ignore) => {
    const { migrator, source } = await createdProject({
      made: ['create table t (id serial primary key)', ...statements],
      entities: [tableOf('t', { note: p.text().nullable() })],
      options: { ignore },
    });

    expect(source).not.toContain('other');
    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await outcomeOf(migrator.down())).toBe('done');
  });
});

test('a column that is parked is neither dropped nor named', async () => {
  const { created, kept } = await createdProject({
    made: ['create table "books" ("id" serial primary key, "title" text not null)', park('books', ['title'])],
    entities: [tableOf('books', {})],
  });

  expect({ created, kept }).toEqual({ created: null, kept: [] });
});
