import { expect, test } from 'vitest';
import { findingsOf, lockTimeout, underTraffic } from './under-traffic.ts';
import { shop, unsafeChanges } from './unsafe.ts';

const isAll = process.env['VERIFY_CASES'] === 'all';
const chosen = isAll ? unsafeChanges : unsafeChanges.filter((_, index) => index % 5 === 0);

// So that what is verified without traffic takes less time.
const whereOthersAreConnected =
  'where (select count(*) from pg_stat_activity where datname = current_database()) > 5';

test.each(chosen)('requests fail when $name', async ({ unsafe, finds }) => {
  expect(findingsOf(await underTraffic(unsafe, shop))).toEqual(finds);
});

test.each(chosen)('none fails in the safe form: not when $name', async ({ safe }) => {
  const { up, down, failures } = await underTraffic(safe, shop);

  expect(failures.filter(({ declared }) => declared === null)).toEqual([]);
  expect(up.failed).toBe(0);
  expect(up.refused > 0).toBe(failures.length > 0);
  expect(up.requests).toBeGreaterThan(100);
  expect(down?.requests).toBeGreaterThan(50);
});

test('a lock that is held for longer than the lock timeout is a stall that is too long, up and down', async () => {
  const long = ['lock table customer', `select pg_sleep(1) ${whereOthersAreConnected}`];

  const { up, down, failures } = await underTraffic({ up: long, down: long }, shop);

  expect(failures).toEqual([]);
  expect(up.worstStallMs).toBeGreaterThan(950);
  expect(down?.worstStallMs).toBeGreaterThan(950);
  expect(up.stallLimitMs).toBe(lockTimeout + 100);
});

test('an index that takes long stalls writers, and not when it is built concurrently', async () => {
  const slow = [
    ...shop,
    `create function slow(text) returns text language plpgsql immutable as $$ begin
       if current_query() ~ 'create index' then perform pg_sleep(0.3) ${whereOthersAreConnected}; end if; return $1; end $$`,
  ];
  const down = { down: ['drop index by_name'] };

  const locking = await underTraffic(
    { up: ['create index by_name on customer (slow(name))'], ...down },
    slow,
  );
  const concurrent = await underTraffic(
    { up: ['create index concurrently by_name on customer (slow(name))'], ...down, transactional: false },
    slow,
  );

  expect(locking.failures).toEqual([]);
  expect(locking.up.worstStallMs).toBeGreaterThan(lockTimeout + 100);
  expect(concurrent.failures).toEqual([]);
  expect(concurrent.up.worstStallMs).toBeLessThan(lockTimeout + 100);
});

test('a state between two statements of a migration without a transaction is one that requests meet', async () => {
  const report = await underTraffic(
    {
      up: [
        'alter table customer add kind text not null default $$$$',
        'alter table customer alter kind drop default',
        'alter table customer alter kind set default $$$$',
      ],
      down: ['alter table customer drop kind'],
      transactional: false,
      loses: ['customer.kind: dropped'],
    },
    shop,
  );

  expect(findingsOf(report)).toEqual(['old customer.kind 23502']);
});

test('a statement whose result has another type is prepared again, once, and counted as retried', async () => {
  const { up, failures } = await underTraffic(
    {
      up: ['alter table purchase alter note type text'],
      down: ['alter table purchase alter note type varchar(80)'],
    },
    shop,
  );

  expect(failures).toEqual([]);
  expect(up.retried).toMatchObject({ '0A000': expect.any(Number) });
});
