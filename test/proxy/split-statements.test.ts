import { expect, test } from 'vitest';
import { splitStatements } from './split-statements.ts';

test.each([
  ['', []],
  [' ;; -- nothing\n /* here; */ ', []],
  ['select 1', ['select 1']],
  ['begin; insert into t values (1);\ncommit;', ['begin', 'insert into t values (1)', 'commit']],
  ["select 'a;b', 'it''s; fine'; select 2", ["select 'a;b', 'it''s; fine'", 'select 2']],
  [String.raw`select e'\';', E'a''b\\'; select 2`, [String.raw`select e'\';', E'a''b\\'`, 'select 2']],
  [String.raw`select '\'; select date'\'`, [String.raw`select '\'`, String.raw`select date'\'`]],
  ['select 1 as "a;""b"; select 2', ['select 1 as "a;""b"', 'select 2']],
  ['do $$ begin; end $$; select 1', ['do $$ begin; end $$', 'select 1']],
  ['select $a$ $$;$b$; $a$, $1; select a$b$c', ['select $a$ $$;$b$; $a$, $1', 'select a$b$c']],
  ['-- one;\nselect 1 /* ; /* ; */ ; */; select 2 -- ;', ['select 1 /* ; /* ; */ ; */', 'select 2 -- ;']],
  [
    'create rule r as on insert to t do (select 1; select 2); select 3',
    ['create rule r as on insert to t do (select 1; select 2)', 'select 3'],
  ],
  ["select 'never closed; select 2", ["select 'never closed; select 2"]],
  ['select 1 /* never closed; /* */', ['select 1 /* never closed; /* */']],
])('%j has the statements %j', (sql, statements) => {
  expect(splitStatements(sql)).toEqual(statements);
});

test('a statement of many megabytes is not split', () => {
  const sql = `insert into t values ('${"x''".repeat(5_000_000)}'); select 1`;

  expect(splitStatements(sql).map(({ length }) => length)).toEqual([sql.length - 10, 8]);
});
