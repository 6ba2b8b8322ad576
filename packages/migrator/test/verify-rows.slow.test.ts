import { expect, test } from 'vitest';
import { emptyDatabase, migratorOn } from './kit/database.ts';
import { findingsOf } from './verify/run.ts';

/** Tables whose rows are hard to make. */
const tables: Readonly<Record<string, string | readonly string[]>> = {
  'of every type': `create table one (a bool not null, b int2 not null, c int4 not null, d int8 not null, e numeric(10,3) not null, f float4 not null,
    g float8 not null, h money not null, i char(3) not null, j varchar(9) not null, k text not null, l bytea not null, m date not null,
    n time not null, o timetz not null, p timestamp(3) not null, q timestamptz not null, r interval not null, s uuid not null, t json not null,
    u jsonb not null, v inet not null, w cidr not null, x macaddr not null, y bit(4) not null, z varbit(6) not null, aa point not null,
    ab box not null, ac circle not null, ad tsvector not null, ae int4range not null, af tstzrange not null, ag nummultirange not null,
    ah int[] not null, ai text[][] not null, aj oid not null, ak name not null, al "char" not null, am pg_lsn not null, an numeric not null)`,
  'of composite types, domains on domains, and arrays of enums': [
    `create type color as enum ('red', 'green')`,
    'create type pair as (x int, label text)',
    'create domain small as int check (value < 50)',
    'create domain tiny as small not null check (value > 40)',
    'create table one (pair pair not null, tiny tiny, colors color[] not null, tinies tiny[] not null)',
  ],
  'with keys by patterns': String.raw`create table one (
    id text primary key check (id ~ '^usr_[0-9a-f]{8}$'), code text not null unique check (code ~ '^[A-Z]{2}-\d{3}$'),
    mail text not null unique check (mail like '%@%.com'))`,
  'with checks of several columns': `create table one (
    kind text not null check (kind in ('a', 'b')), low int not null, high int not null, amount numeric, reason text,
    check (low < high), check ((kind = 'a') = (amount is not null)), check (kind <> 'b' or length(reason) > 10))`,
  'that exclude each other': `create table one (
    room int4range not null, during tstzrange not null, exclude using gist (room with &&, during with &&))`,
  'in partitions of partitions': [
    'create table one (region text not null, at timestamptz not null, id int not null, primary key (region, at, id)) partition by list (region)',
    `create table eu partition of one for values in ('de', 'fr') partition by range (at)`,
    `create table eu_2024 partition of eu for values from ('2024-03-01') to ('2024-04-01')`,
  ],
  'whose key is another one': [
    'create table zero (id int generated always as identity primary key, name text not null unique)',
    'create table one (id int primary key references zero, twin text not null unique references zero (name))',
  ],
  'that join others': [
    'create table l (tenant int, id int, primary key (tenant, id))',
    'create table r (tenant int, id int, primary key (tenant, id))',
    `create table one (tenant int not null, l int not null, r int not null, primary key (tenant, l, r),
      foreign key (tenant, l) references l, foreign key (tenant, r) references r)`,
  ],
  'in a circle': [
    'create table zero (id int primary key, one_id int)',
    'create table one (id int primary key, zero_id int not null references zero)',
    'alter table zero add foreign key (one_id) references one',
  ],
  'that refer to themselves': 'create table one (id int primary key, parent_id int not null references one)',
  'with a partial unique index': [
    'create table zero (id int primary key)',
    'create table one (id int primary key, zero_id int not null references zero, depth int not null default 0)',
    'create unique index on one (zero_id) where depth = 0',
  ],
  'with a unique expression': [
    'create table one (id int primary key, email text not null)',
    'create unique index on one (lower(email))',
  ],
  'with a trigger that refuses': [
    'create table one (id int primary key, state text not null)',
    `create function f() returns trigger language plpgsql as $$ begin
      if new.state not in ('ready', 'done') then raise exception 'no'; end if; return new; end $$`,
    'create trigger t before insert on one for each row execute function f()',
  ],
  'with names that need quotes': `create schema "My ""Shop"""; create table "My ""Shop"""."One's" ("The id" int primary key, "select" text, "It's" text[])`,
  'with generated and omitted columns': `create table one (
    id int generated always as identity, a int not null, twice int generated always as (a * 2) stored, at timestamptz not null default now())`,
};

test('covers tables whose rows are hard to make', async () => {
  const db = await emptyDatabase();
  const names = Object.keys(tables);
  const bases = names.map((name, index) => [
    `M1${String(index).padStart(2, '0')}`,
    {
      up: [`create schema s${index}`, `set local search_path to s${index}`, ...[tables[name] ?? []].flat()],
    },
  ]);
  // What a text executes may concern any table.
  const last = { up: [`do $$ begin execute 'select 1'; end $$`] };

  const [certificate] = await migratorOn(db, { ...Object.fromEntries(bases), M2: last }).verify({
    migrations: ['M2'],
  });

  expect(certificate?.notCovered.map((table) => names[Number(/^s(\d+)/.exec(table)?.[1])] ?? table)).toEqual(
    [],
  );
  expect(certificate && findingsOf(certificate)).toEqual([]);
}, 600_000);
