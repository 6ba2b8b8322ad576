import { expect, test } from 'vitest';
import { emptyDatabase, migratorOn } from '../kit/database.ts';
import type { Migrations } from '../project.ts';
import { backfill } from '../../src/files/backfill.ts';

const sizes = (process.env['FORECAST_ROWS'] ?? '10000,200000').split(',').map(Number);
const table: Migrations = {
  M1: {
    up: [
      `create table item (id bigint generated always as identity primary key, customer_id int not null, number int, note text, total int not null, at timestamptz default now())`,
    ],
    down: ['drop table item'],
  },
};
const work: Migrations = {
  index: { up: ['create index item_customer on item (customer_id)'], down: ['drop index item_customer'] },
  text: { up: ['create index item_note on item (note)'], down: ['drop index item_note'] },
  notnull: {
    up: ['alter table item alter number set not null'],
    down: ['alter table item alter number drop not null'],
  },
  type: { up: ['alter table item alter total type bigint'], down: ['alter table item alter total type int'] },
  backfill: {
    up: [backfill('item', { by: 'id', set: 'total = total + 1', batch: 5_000 })],
    transactional: false,
  },
};
const fill = (n: number) =>
  `insert into item (customer_id, number, note, total) select (g::bigint * 2654435761 % ${n})::int, (g::bigint * 7919 % 1000)::int, left(repeat(md5(g::text), 2), 40), g % 1000 from generate_series(1, ${n}) g`;

test.each(sizes)('try %i', async (rows) => {
  const db = await emptyDatabase();
  await migratorOn(db, table).up();
  await db.orm.em.execute('alter table item set (autovacuum_enabled = off)');
  await db.orm.em.execute(fill(rows));
  for (const [name, one] of Object.entries(work)) {
    await db.orm.em.execute('vacuum analyze item');
    const migrator = migratorOn(db, { ...table, [name]: one });
    let began = performance.now();
    const [forecast] = await migrator.forecast([{ name, direction: 'up' }]);
    const took = performance.now() - began;
    await db.orm.em.execute('checkpoint');
    began = performance.now();
    let [from, real] = [0, 0];
    await migratorOn(
      db,
      { ...table, [name]: one },
      {
        onEvent: ({ kind }) => {
          if (kind === 'statement') from = performance.now();
          if (kind === 'done') real = performance.now() - from;
        },
      },
    ).up();
    console.log(
      rows,
      name,
      'forecast',
      forecast?.durationMs,
      'real',
      Math.round(real),
      'ratio',
      ((forecast?.durationMs ?? 0) / real).toFixed(2),
      'took',
      Math.round(took),
      forecast?.unknown ?? '',
      '',
    );
    await migrator.down();
    if (name === 'backfill' || name === 'type') {
      await db.orm.em.execute('vacuum full item');
    }
  }
  expect(1).toBe(1);
});
