import { beforeEach, expect, test } from 'vitest';
import type { MeasuredLock, MeasuredStatement, Measurement } from 'mikro-orm-safe-migrations';
import type { Migrations } from '../project.ts';
import { measure } from './measured.ts';

const rows = 400;

// It takes a millisecond and more for each row, so that what a lock stops is longer than any hiccup of the machine.
const slow = `create function slow(value int) returns int language plpgsql immutable as
  $$ begin perform pg_sleep(0.001); return value; end $$`;

// A table for each, because an index that calls the function makes every row slow.
const names = ['indexed', 'online', 'retyped', 'updated', 'extended'];
const chain: Migrations = {
  M1: {
    up: [slow, ...names.map((name) => `create table ${name} (id int primary key, age int not null)`)],
    down: [...names.map((name) => `drop table ${name}`), 'drop function slow'],
  },
  indexed: { up: ['create index i on indexed (slow(age))'], down: ['drop index i'] },
  online: {
    up: ['create index concurrently j on online (slow(age))'],
    down: ['drop index concurrently j'],
    transactional: false,
  },
  retyped: {
    up: ['alter table retyped alter age type bigint using slow(age)'],
    down: ['alter table retyped alter age type int'],
  },
  updated: { up: ['update updated set age = slow(age)'] },
  extended: {
    up: ['alter table extended add note text', 'update extended set note = slow(age)::text'],
    down: ['alter table extended drop note'],
  },
};

// Measured once, and again for each retry: on a busy machine, the probes may not have had their turn.
let measured: ReadonlyMap<string, Measurement>;
beforeEach(async ({ task }) => {
  if (!measured || task.result?.retryCount) measured = await measure(chain, rows);
});

function statementsOf(migration: string, direction = 'up'): readonly MeasuredStatement[] {
  return (measured.get(migration)?.statements ?? []).filter((one) => one.direction === direction);
}

/** What a statement's lock made wait, as far as it is most of the time that it was held. */
function stoppedBy(lock: MeasuredLock | undefined): string[] {
  if (!lock) return ['no lock'];
  const isStopped = (stall: number | null): boolean => (stall ?? 0) > lock.heldMs / 2;
  return [
    ...(isStopped(lock.readerStallMs) ? ['reader'] : []),
    ...(isStopped(lock.writerStallMs) ? ['writer'] : []),
  ];
}

test.each([
  ['indexed', 'ShareLock', 'writes', ['writer']],
  ['online', 'ShareUpdateExclusiveLock', 'nothing', []],
  ['retyped', 'AccessExclusiveLock', 'reads and writes', ['reader', 'writer']],
  // Not by the lock on the table, but by those on its rows.
  ['updated', 'RowExclusiveLock', 'nothing', ['writer']],
] as const)('%s: a reader and a writer wait as its lock makes them', (name, lock, blocks, stopped) => {
  const [statement] = statementsOf(name);
  const [taken, ...others] = statement?.locks ?? [];

  expect(others).toEqual([]);
  expect(taken).toMatchObject({ table: name, lock, blocks });
  expect(taken?.heldMs).toBeGreaterThanOrEqual(rows);
  expect(stoppedBy(taken)).toEqual(stopped);
});

test('a lock is held to the end of its transaction, and what waits is counted where it was taken', () => {
  const [add, update] = statementsOf('extended');

  expect(add?.durationMs).toBeLessThan(rows / 2);
  expect(update?.durationMs).toBeGreaterThanOrEqual(rows);
  expect(add?.locks).toMatchObject([{ table: 'extended', lock: 'AccessExclusiveLock' }]);
  expect(stoppedBy(add?.locks[0])).toEqual(['reader', 'writer']);
  // It needs no stronger one.
  expect(update?.locks).toEqual([]);
});

test('a new table locks nothing that exists, and its down is measured with rows', () => {
  expect(statementsOf('M1').flatMap(({ locks }) => locks)).toEqual([]);
  expect(statementsOf('M1', 'down')[0]?.locks).toMatchObject([
    { table: 'indexed', lock: 'AccessExclusiveLock' },
  ]);
});

test('each table that a migration touches has the rows', () => {
  const all = [...measured.values()];

  expect(all.map(({ tables }) => tables)).toEqual([
    names.toSorted().map((table) => ({ table, rows, reason: null })),
    ...names.map((table) => [{ table, rows, reason: null }]),
  ]);
  expect(all.flatMap(({ failures }) => failures)).toEqual([]);
});

test('a table that can hold few rows is named with what it has, and why', async () => {
  const up = [
    'create table one (id bool primary key check (id))',
    'create table small (id smallint primary key, name text)',
    'create table empty (id int primary key, other int not null check (other > 5 and other < 4))',
  ];
  const changes = ['one', 'small', 'empty'].map((table) => `alter table ${table} add a int`);

  const found = await measure({ M1: { up }, M2: { up: changes } }, 70_000, ['M2']);

  expect(found.get('M2')?.tables).toEqual([
    { table: 'empty', rows: 0, reason: 'no row could be generated' },
    { table: 'one', rows: 1, reason: 'its unique keys allow no more generated rows' },
    { table: 'small', rows: expect.any(Number), reason: expect.stringContaining('out of range') },
  ]);
});
