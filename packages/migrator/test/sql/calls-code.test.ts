import { expect, test } from 'vitest';
import { callsCode } from '../../src/sql/calls-code.ts';

test.each([
  'do $$ begin end $$',
  'call p()',
  'select f()',
  '(select f())',
  '/* /* why */ */ -- how\n select f()',
  'drop table t; select f()',
  'drop tables a, b; select',
])('%s executes code', async (sql) => {
  expect(await callsCode(sql)).toBe(true);
});

test.each([
  '',
  'drop table t',
  'delete from t where a in (select b from u)',
  `comment on table t is '; select f()'`,
  `update t set a = E'\\'; call p()'`,
  'create view v as select 1',
  'with gone as (delete from t returning 1) select from gone',
])('%s executes none', async (sql) => {
  expect(await callsCode(sql)).toBe(false);
});
