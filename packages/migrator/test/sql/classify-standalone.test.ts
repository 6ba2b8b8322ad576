import { expect, test } from 'vitest';
import { standalone } from '../../src/files/standalone.ts';
import { classifyStandalone } from '../../src/sql/classify-standalone.ts';

test.each([
  ['create index concurrently on t (a)', { kind: 'create index', index: null, table: '"t"' }],
  [
    'CREATE UNIQUE INDEX\n  CONCURRENTLY IF NOT EXISTS "I x" ON ONLY shop."T" (a)',
    { kind: 'create index', index: '"I x"', table: '"shop"."T"' },
  ],
  [
    '-- why\ncreate index /* so */ concurrently größe_idx on größen (a)',
    { kind: 'create index', index: '"größe_idx"', table: '"größen"' },
  ],
  [
    `create index concurrently "a""b" on T (lower(a)) where b = E'\\'; commit' -- ; select 1`,
    { kind: 'create index', index: '"a""b"', table: '"t"' },
  ],
  ['drop index concurrently if exists shop.i', { kind: 'drop index', index: '"shop"."i"' }],
  ['reindex table concurrently shop.t', { kind: 'reindex', what: 'table', name: '"shop"."t"' }],
  ['reindex(verbose, concurrently) INDEX i', { kind: 'reindex', what: 'index', name: '"i"' }],
  ['reindex (concurrently 1) index i', { kind: 'reindex', what: 'index', name: '"i"' }],
  ['reindex schema shop', { kind: 'reindex', what: 'schema', name: '"shop"' }],
  ['reindex database concurrently', { kind: 'reindex', what: 'database', name: null }],
  ['reindex system', { kind: 'reindex', what: 'system', name: null }],
  [
    'alter table if exists t detach partition shop.t_1 concurrently',
    { kind: 'detach partition', table: '"t"', partition: '"shop"."t_1"' },
  ],
  ['vacuum (analyze) t', { kind: 'other' }],
  ['vacuum', { kind: 'other' }],
  ['cluster;', { kind: 'other' }],
  ['/* all */ cluster (verbose)', { kind: 'other' }],
  ['create database shop', { kind: 'other' }],
  ['drop database if exists shop with (force)', { kind: 'other' }],
  [`create tablespace fast location '/fast'`, { kind: 'other' }],
  ['drop tablespace fast', { kind: 'other' }],
  [`alter system set work_mem = '1MB'`, { kind: 'other' }],
  ['alter database shop set tablespace fast', { kind: 'other' }],
  [`create subscription s connection 'host=a' publication p`, { kind: 'other' }],
  ['alter subscription s refresh publication', { kind: 'other' }],
  ['drop subscription s', { kind: 'other' }],
  ['discard all', { kind: 'other' }],
  ['do $$ begin perform 1; commit; end $$', { kind: 'other' }],
  ['do language plpgsql $x$ <<a>> begin if b then\n rollback; end if; end $x$', { kind: 'other' }],
  [`select pg_create_logical_replication_slot('a', 'pgoutput')`, { kind: 'other' }],
  [`select pg_catalog.pg_drop_replication_slot('a')`, { kind: 'other' }],
  [standalone('call p()'), { kind: 'other' }],
  [standalone('select 1', { idempotent: true }), { kind: 'other' }],
  [standalone('create index concurrently i on t (a)'), { kind: 'create index', index: '"i"', table: '"t"' }],
])('runs outside transactions: %s', async (sql, kind) => {
  expect(await classifyStandalone(sql)).toEqual(kind);
});

test.each([
  'create index i on t (a)',
  'create index concurrently_i on t (a)',
  'reindex table t',
  'reindex (verbose) index i',
  'reindex (concurrently off) table t',
  'reindex (concurrently 0) table t',
  'alter table t detach partition t_1',
  'alter table t detach partition t_1 finalize',
  'alter table t add column concurrently int, add column vacuum int',
  `comment on table t is '-- create index concurrently'`,
  `insert into t values (E'\\'; vacuum; ')`,
  'select $$vacuum$$',
  'cluster t using i',
  'analyze t',
  'discard temp',
  'call p()',
  'do $$ begin perform 1; end $$',
  `do $$ begin raise 'commit'; perform commit from t; end $$`,
  'do $$ begin savepoint a; rollback to a; end $$',
  'insert into t values (1) on conflict do nothing -- commit',
  'select pg_replication_slots from t',
  'vacuums',
  'alter database shop set work_mem = 1',
  'drop index if exists concurrently',
])('may run in a transaction: %s', async (sql) => {
  expect(await classifyStandalone(sql)).toBeNull();
});

test.each([
  'create index concurrently i on t (a); select 1',
  'create index concurrently i on t (a) using the syntax of tomorrow',
])('is left for the server to refuse in a transaction: %s', async (sql) => {
  expect(await classifyStandalone(sql)).toBeNull();
});
