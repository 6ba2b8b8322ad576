import { expect, test } from 'vitest';
import { ormStatements } from '../../src/sql/orm-statements.ts';

test.each([
  ['', []],
  [';\n', []],
  [
    "create table \"a;b\" (c text default 'd;e');\nalter table \"a;b\" add check (c <> E'\\';');\n",
    ['create table "a;b" (c text default \'d;e\')', "alter table \"a;b\" add check (c <> E'\\';')"],
  ],
  [
    "create function f() returns trigger as $a$ begin; $$ end; $a$ language plpgsql; select 'ä'; select 1",
    [
      'create function f() returns trigger as $a$ begin; $$ end; $a$ language plpgsql',
      "select 'ä'",
      'select 1',
    ],
  ],
  [
    'create function f() returns int begin atomic select 1; select 2; end; drop table t;',
    ['create function f() returns int begin atomic select 1; select 2; end', 'drop table t'],
  ],
  [
    `create tables a;\nalter table b add check (c <> 'd;' and e is new);`,
    ['create tables a', `alter table b add check (c <> 'd;' and e is new)`],
  ],
  [`select 1_a; select 2`, ['select 1_a; select 2']],
])('%j', async (sql, statements) => {
  expect(await ormStatements(sql)).toEqual(statements);
});
