import { expect, test } from 'vitest';
import { leavesTemporaryObjects } from '../../../src/postgres/client/temporary-objects.ts';

test.each([
  'create temp table t (a int)',
  'CREATE OR REPLACE TEMPORARY VIEW t AS SELECT 1',
  'create global temporary table t (a int) on commit delete rows',
  'create unlogged table pg_temp.t (a int)',
  'create function "pg_temp".f() returns int language sql as $$ select 1 $$',
  'select 1 as a into temp t',
  'with a as (select 1) select * into local temp t from a',
  `select E'\\''; create temp sequence s; select ''`,
  `do $a$ begin execute 'x'; create temp table t (a int); end $a$`,
  `do 'begin create temp table t (a int); end'`,
  'create temp table t (a int) on commit drop; create temp table u (a int)',
])('%s leaves a temporary object', (sql) => {
  expect(leavesTemporaryObjects(sql)).toBe(true);
});

test.each([
  'create temp table t (a int) on commit drop',
  'do $$ begin create temp table t (a int) on commit drop; end $$',
  'create table t (temp int, temporary text)',
  'create index on pg_temp.t (a)',
  'create unique index on pg_temp.t (a)',
  'insert into temp values (1)',
  'select * from pg_temp.t',
  `insert into t values ('create temp table t (a int)')`,
  `select E'\\'; create temp table t (a int); '`,
  'create table "temp" (a int)',
  '-- create temp table t\nselect 1',
])('%s leaves no temporary object', (sql) => {
  expect(leavesTemporaryObjects(sql)).toBe(false);
});
