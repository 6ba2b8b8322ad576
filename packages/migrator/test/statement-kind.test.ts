import { expect, test } from 'vitest';
import { standaloneKind, transactionControl } from '../src/files/statement-kind.ts';

test.each([
  ['create index concurrently on t (a)', { kind: 'create index', index: null, table: 't' }],
  [
    'CREATE UNIQUE INDEX\n  CONCURRENTLY IF NOT EXISTS "I x" ON ONLY shop."T" (a)',
    { kind: 'create index', index: '"I x"', table: 'shop."T"' },
  ],
  [
    '-- why\ncreate index /* so */ concurrently größe_idx on größen (a)',
    { kind: 'create index', index: 'größe_idx', table: 'größen' },
  ],
  ['drop index concurrently if exists shop.i', { kind: 'drop index', index: 'shop.i' }],
  ['reindex table concurrently shop.t', { kind: 'reindex', what: 'table', name: 'shop.t' }],
  ['reindex(verbose, concurrently) INDEX i', { kind: 'reindex', what: 'index', name: 'i' }],
  ['reindex schema shop', { kind: 'reindex', what: 'schema', name: 'shop' }],
  ['reindex database concurrently', { kind: 'reindex', what: 'database', name: null }],
  [
    'alter table if exists t detach partition shop.t_1 concurrently',
    { kind: 'detach partition', table: 't', partition: 'shop.t_1' },
  ],
  ['vacuum (analyze) t', { kind: 'other' }],
  ['alter database shop set tablespace fast', { kind: 'other' }],
])('stands alone: %s', (sql, kind) => {
  expect(standaloneKind(sql)).toEqual(kind);
});

test.each([
  'create index i on t (a)',
  'reindex table t',
  'reindex (verbose) index i',
  'alter table t detach partition t_1',
  'alter table t detach partition t_1 finalize',
  `comment on table t is '-- create index concurrently'`,
  'cluster t using i',
  'vacuums',
])('may run in a transaction: %s', (sql) => {
  expect(standaloneKind(sql)).toBeNull();
});

test.each([
  ['begin', 'begin'],
  ['create table t (); -- all of it\n COMMIT; drop table u', 'COMMIT'],
  ['start  transaction read only', 'start  transaction read only'],
  ['rollback', 'rollback'],
  ['create function f() returns int language sql begin atomic select 1; end; END work', 'END work'],
])('begins or ends a transaction: %s', (sql, what) => {
  expect(transactionControl(sql)).toBe(what);
});

test.each([
  'savepoint a; rollback to a; rollback transaction to savepoint a',
  `do $body$ begin perform 1; commit; end $body$`,
  `insert into t values ('; commit')`,
  'create function f() returns int language sql begin atomic select 1; end',
  'create table commits (id int)',
])('leaves transactions alone: %s', (sql) => {
  expect(transactionControl(sql)).toBeNull();
});
