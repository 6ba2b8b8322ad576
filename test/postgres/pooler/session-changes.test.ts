import { describe, expect, test } from 'vitest';
import { findSessionChange } from '../../../src/postgres/pooler/session-changes.ts';

describe('a change of a shared session is found', () => {
  test.each([
    ['set search_path = other', 'the setting would apply'],
    ['SET SESSION statement_timeout = 1', 'the setting would apply'],
    ['set session characteristics as transaction read only', 'the setting would apply'],
    ['set role tenant', 'the setting would apply'],
    ['set time zone 0', 'the setting would apply'],
    ['  -- why\n /* and how */ set work_mem = 64', 'the setting would apply'],
    ['select 1; set work_mem = 64', 'the setting would apply'],
    ['-- why\rset work_mem = 64', 'the setting would apply'],
    ['select 1 /* ; */;/* how */set work_mem = 64', 'the setting would apply'],
    ["select set_config('app.user', 'a', false)", 'set_config'],
    ["select set_config('app.user', 'a, true)', false)", 'set_config'],
    ['select set_config($1, $2, $3)', 'set_config'],
    ["select SET_CONFIG ('app.user', coalesce('a', 'b'), 'f')", 'set_config'],
    ["select set_config('a.b', 'c', true), set_config('a.b', 'c', false)", 'set_config'],
    ['select pg_advisory_lock(1)', 'pg_advisory_xact_lock'],
    ['select pg_try_advisory_lock(1, 2)', 'pg_advisory_xact_lock'],
    ['select 1 where pg_try_advisory_lock_shared (1)', 'pg_advisory_xact_lock'],
    ['select "pg_advisory_lock"(1)', 'pg_advisory_xact_lock'],
    [`select pg_catalog."set_config" ('a.b', 'c', false)`, 'set_config'],
    [`select set_config('a.b', 'c', true or false)`, 'set_config'],
    [`select E'\\''; set role a; select ''`, 'the setting would apply'],
    [`select U&'\\'; listen jobs; --'`, 'bypasses the pooler'],
    ['select $a$ $$ $a$; load $$a$$', 'library'],
    ['/* /* */ */ set role a', 'the setting would apply'],
    ['listen jobs', 'bypasses the pooler'],
    ['prepare one as select 1', 'unprepared'],
    ['declare c cursor with hold for select 1', 'without hold'],
    ['declare c insensitive no scroll cursor\nwith hold for select 1', 'without hold'],
    ["load 'auto_explain'", 'library'],
  ])('%s', (text, says) => {
    expect(findSessionChange(text, false)).toContain(says);
    expect(findSessionChange(text, true)).toContain(says);
  });

  test.each([
    'create temp table t (a int)',
    'create temporary table t (a int)',
    'create local temp table t (a int)',
    'create or replace temp view v as select 1',
    'select 1 as a into temp t',
    'with a as (select 1) select * into local temporary table t from a',
    'create table pg_temp.t (a int)',
    'do $a$ begin create temp table t (a int); end $a$',
  ])('outside a transaction: %s', (text) => {
    expect(findSessionChange(text, false)).toContain('in the unit of work');
    expect(findSessionChange(text, true)).toBeNull();
  });
});

test.each([
  'select 1',
  'begin; set local statement_timeout = 5; set local lock_timeout = 6',
  'set transaction read only',
  'set constraints all immediate; discard temp',
  "set names 'utf8'",
  "select set_config('app.user', 'a', true)",
  'select set_config($1, $2, true), set_config($3, $4, TRUE)',
  "select set_config('app.user', coalesce(current_setting('a.b', false), ''), true)",
  'select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)',
  "prepare transaction 'one'",
  'declare c cursor for select 1',
  'notify jobs',
  'update experiments set name = $1',
  `update experiments set name = 'a; set role b', hypothesis = E'it\\'s; listen c', "set" = $$; load 'd'$$`,
  `insert into experiments (name) values ('O''Brien; set x = 1 -- pg_advisory_lock(1)')`,
  `insert into experiments (name) values (' pg_advisory_lock(1) set_config(1, 2, 3)')`,
  '/* set role a; */ select 1 -- ; listen b',
  // Truncated, as the beginning of a longer text.
  `insert into a values ('b; set c = 1; `,
  `insert into a values (E'b\\'; set c = 1; `,
  'select "a; set b = 1; ',
  'select $x$a; set b = 1; $',
  'select 1 /* ; set a = 1; ',
  'select $1, listen, settings.load from listen',
  'create index concurrently a on b (c)',
  'insert into temp (a) values (1)',
  'create table temporary_values (temp int)',
  'declare c cursor for with hold as (select 1) select * from hold',
  `select "set"; select "set" from "pg_advisory_lock"`,
  '/* /* */ ; set role a; */ select $a$ $$; listen b; $a$',
  `insert into a values ('${';'.repeat(2_000_000)}', E'${"\\'".repeat(500_000)}')`,
])('a statement without a change of the session is accepted (%#)', (text) => {
  expect(findSessionChange(text, false)).toBeNull();
});
