import { expect, test } from 'vitest';
import { emptyDatabase, migratorOn } from '../kit/database.ts';

test('try', async () => {
  const db = await emptyDatabase();
  const migrator = migratorOn(db, {
    M1: {
      up: [
        'create table customer (id int generated always as identity primary key, email text not null unique)',
        `create table "order" (id uuid primary key default gen_random_uuid(), customer_id int not null references customer, number int not null unique, note varchar(50), total int not null check (total >= 0), state text, at timestamptz default now())`,
      ],
      down: ['drop table "order"', 'drop table customer'],
      loses: ['order: x', 'customer: x'],
    },
    M2: {
      up: ['create index order_number on "order" (number)', 'alter table "order" alter total type bigint'],
      down: ['alter table "order" alter total type int', 'drop index order_number'],
    },
    M3: {
      up: ['create index concurrently order_note on "order" (note)'],
      down: ['drop index concurrently order_note'],
      transactional: false,
    },
    M4: {
      up: [`update "order" set state = 'x'`, 'alter table "order" alter state set not null'],
      down: ['alter table "order" alter state drop not null'],
    },
  });
  const began = performance.now();
  const found = await migrator.verify({
    migrations: ['M1', 'M2', 'M3', 'M4'],
    rows: 100_000,
    onProgress: (p) => console.log(Math.round(performance.now() - began), p.migration, p.step),
  });
  console.log(performance.now() - began);
  console.log(
    JSON.stringify(
      found.map((one) => [one.certificate, one.failures, one.measured]),
      null,
      1,
    ),
  );
  expect(found.length).toBe(4);
});
