import { describe, expect, test } from 'vitest';
import { findTransactionControl } from '../../src/sql/find-transaction-control.ts';

test.each([
  ['begin', 'begin'],
  ['create table t (); -- all of it\n COMMIT; drop table u', 'COMMIT'],
  ['start  transaction read only', 'start  transaction read only'],
  ['rollback', 'rollback'],
  ['abort', 'abort'],
  ['rollback and chain', 'rollback and chain'],
  [`prepare transaction 'a'`, `prepare transaction 'a'`],
  [`/* why */ commit prepared 'ä'`, `commit prepared 'ä'`],
  ['create function f() returns int language sql begin atomic select 1; end; END work', 'END work'],
  [`select E'\\''; commit; select ''`, 'commit'],
  [`select U&'\\'; commit; select ''`, 'commit'],
  ['select $a$ $b$ $a$; commit', 'commit'],
  ['/* /* */ */ commit', 'commit'],
  ['set transaction isolation level serializable', 'set transaction isolation level serializable'],
  [
    'select 1; SET TRANSACTION READ ONLY, ISOLATION LEVEL READ COMMITTED',
    'SET TRANSACTION READ ONLY, ISOLATION LEVEL READ COMMITTED',
  ],
  [`set local transaction_isolation = 'serializable'`, `set local transaction_isolation = 'serializable'`],
  [`set transaction snapshot '00000003-0000001B-1'`, `set transaction snapshot '00000003-0000001B-1'`],
])('begins or ends a transaction: %s', async (sql, what) => {
  expect(await findTransactionControl(sql)).toBe(what);
});

test.each([
  '',
  'savepoint a; rollback to a; rollback transaction to savepoint a; release a',
  `do $body$ begin perform 1; commit; end $body$`,
  `insert into t values ('; commit')`,
  `insert into t values (E'it\\'s; commit now')`,
  'select "; commit" from t; select $a$ $$; commit; $a$',
  '/* ; /* */ commit; */ select 1',
  'create function f() returns int language sql begin atomic select 1; end',
  'create function f() returns int language sql begin atomic select case when true then 1 end; end',
  'create table commits (id int)',
  'set transaction read only',
  'set session characteristics as transaction isolation level serializable',
  'show transaction_isolation',
  'create table transaction (transaction_isolation text)',
  'prepare a as select 1',
  'create rule r as on insert to t do also (delete from u; delete from v)',
])('leaves transactions alone: %s', async (sql) => {
  expect(await findTransactionControl(sql)).toBeNull();
});

// As if of a newer server; the last is what the grammar's package gets wrong.
const unread = ['create tables a, b', `insert into t values ('a' -- and\n 'b')`];

describe.each(unread)("in a text that the grammar can't parse (%j)", (sql) => {
  test.each(['begin', 'START TRANSACTION', 'commit', 'end', 'abort', 'rollback', `prepare transaction 'a'`])(
    '%s counts at the beginning of a statement',
    async (command) => {
      const [word = ''] = command.split(' ');

      expect(await findTransactionControl(`${sql}; /* ; */ ${command}`)).toBe(word);
      expect(await findTransactionControl(`${command}; ${sql}`)).toBe(word);
    },
  );

  test.each([
    `select '; commit'`,
    `select E'\\'; commit'`,
    'rollback to a',
    'select case when a then b end',
    'prepare a as select 1',
    'do $$ begin; commit; end $$',
  ])('%s does not count', async (statement) => {
    expect(await findTransactionControl(`${sql}; ${statement}`)).toBeNull();
  });
});

test("counts each such word in a text that the scanner can't split", async () => {
  expect(await findTransactionControl('select 1_a; Commit')).toBe('Commit');
  expect(await findTransactionControl('select 1_a')).toBeNull();
});
