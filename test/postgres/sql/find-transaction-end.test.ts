import { expect, test } from 'vitest';
import { findTransactionEnd } from '../../../src/postgres/sql/find-transaction-end.ts';

test.each([
  ['commit', 'commit'],
  [' COMMIT WORK;', 'commit'],
  ['end', 'end'],
  ['abort', 'abort'],
  ['rollback', 'rollback'],
  ['rollback work and chain', 'rollback'],
  [`prepare transaction 'a'`, 'prepare transaction'],
  ['/* why */ -- how\n commit', 'commit'],
  ['select 1; commit', 'commit'],
  [`select E'\\''; commit; select ''`, 'commit'],
  [`select U&'\\'; commit; select ''`, 'commit'],
  ['select $a$ $b$ $a$; end', 'end'],
  ['/* /* */ */ commit /* */', 'commit'],
  ['select 1 --;\n; commit', 'commit'],
  [`select '' -- \n'', "'"; commit; select "'"`, 'commit'],
  ['create function f() returns int language sql begin atomic select 1; end; end work', 'end'],
])('%j ends the transaction', (sql, command) => {
  expect(findTransactionEnd(sql)).toBe(command);
});

test.each([
  'select 1',
  'begin',
  'rollback to a; rollback work to savepoint a; rollback transaction to a',
  'prepare a as select 1',
  `select E'it\\'s; commit now'`,
  `select '; commit'`,
  'select "; commit"',
  'select $$; commit; $$',
  'select $a$ $$; commit; $a$',
  '/* ; /* commit */; commit */ select 1',
  'select 1 -- ; commit',
  `select 'a' -- '\n'; commit'`,
  'select case when a then b end',
  'do $$ begin commit; end $$',
  'create function f() returns int language sql begin atomic select 1; end',
  'select 1 as commit, commits.end from commits',
])('%j does not end the transaction', (sql) => {
  expect(findTransactionEnd(sql)).toBeNull();
});

test('a backslash in a plain string escapes according to the setting of the server', () => {
  const sql = String.raw`select '\''; commit; select ''`;

  expect(findTransactionEnd(sql)).toBeNull();
  expect(findTransactionEnd(sql, { standardStrings: false })).toBe('commit');
});
