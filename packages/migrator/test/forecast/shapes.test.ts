import { expect, test } from 'vitest';
import { readStatistics, type TableStatistics } from '../../src/forecast/table-statistics.ts';
import { fillToSize } from '../../src/measure/fill-to-size.ts';
import { Harvest } from '../../src/rows/harvest.ts';
import { readTables } from '../../src/rows/tables.ts';
import { inTransaction, poolSession } from '../../src/session/session.ts';
import { emptyDatabase, type TestDatabase } from '../kit/database.ts';

const rows = 20_000;

async function statisticsOf({ orm }: TestDatabase, table: string): Promise<TableStatistics | undefined> {
  return (await readStatistics(poolSession(orm), 'migrator', 'mikro_orm_migrations')).get(table);
}

/** Returns the statistics of a table, and those of generated rows that are shaped after them. */
async function statisticsBoth(
  db: TestDatabase,
  create: readonly string[],
  table: string,
): Promise<readonly [real: TableStatistics | undefined, generated: TableStatistics | undefined]> {
  for (const sql of create) await db.orm.em.execute(sql);
  await db.orm.em.execute(`vacuum analyze ${table}`);
  const real = await statisticsOf(db, table);
  await db.orm.em.execute(`truncate ${table} cascade`);
  const tables = await inTransaction(db.orm, (session) =>
    readTables(session, 'migrator', 'mikro_orm_migrations'),
  );
  await fillToSize(db.orm, {
    tables,
    other: tables,
    harvest: new Harvest(),
    learned: new Map(),
    templates: new Map(),
    sizes: {
      touched: new Set(tables.tables.map(({ name }) => name)),
      rowsOf: () => rows,
      shapeOf: (_, { name }) => real?.columns.get(name) ?? null,
      skipsReferences: true,
    },
  });
  return [real, await statisticsOf(db, table)];
}

test('generated rows have the sizes, NULLs, numbers of different values and order of the real ones', async () => {
  const [real, generated] = await statisticsBoth(
    await emptyDatabase(),
    [
      'create table parent (id int primary key)',
      `create table t (id uuid primary key default gen_random_uuid(), code varchar(60) not null unique, parent_id int references parent, few int,
         half text, wide text, stamp timestamptz, flag bool, amount numeric(12, 2), data jsonb)`,
      'insert into parent select n from generate_series(1, 500) n',
      `insert into t select gen_random_uuid(), 'code-' || lpad(n::text, 30, 'x'), 1 + n % 500, n % 7, case when n % 2 = 0 then md5(n::text) end,
         repeat(md5(n::text), 8), now() + n * interval '1 minute', n % 3 = 0, n, jsonb_build_object('n', n)
       from generate_series(1, ${rows}) n`,
    ],
    't',
  );

  expect(generated?.rows).toBe(rows);
  expect(Math.abs((generated?.bytes ?? 0) / (real?.bytes ?? 1) - 1)).toBeLessThan(0.1);
  for (const [name, expected] of real?.columns ?? []) {
    const found = generated?.columns.get(name);
    const count = (distinct = 0): number => (distinct < 0 ? -distinct * rows : distinct);
    expect.soft(found?.nullFraction, `NULLs of ${name}`).toBeCloseTo(expected.nullFraction, 1);
    expect.soft(found?.isOrdered, `order of ${name}`).toBe(expected.isOrdered);
    expect.soft(Math.abs((found?.width ?? 0) - (expected.width ?? 0)), `width of ${name}`).toBeLessThan(12);
    const ratio = count(found?.distinct) / count(expected.distinct);
    expect.soft(ratio, `different values of ${name}`).toBeGreaterThan(0.6);
    expect.soft(ratio, `different values of ${name}`).toBeLessThan(1.6);
  }
});

test('the statistics of a table with partitions are those of all, and one that was never analyzed has no number of rows', async () => {
  const db = await emptyDatabase();
  for (const sql of [
    'create table part (id int, note text) partition by range (id)',
    'create table part_1 partition of part for values from (0) to (1000)',
    'create table part_2 partition of part for values from (1000) to (5000)',
    `insert into part select n, 'note' from generate_series(0, 4998) n`,
    'create table fresh (id int)',
    'insert into fresh select generate_series(1, 100)',
    'analyze part',
  ])
    await db.orm.em.execute(sql);

  expect(await statisticsOf(db, 'part')).toMatchObject({ rows: 4_999 });
  expect([...((await statisticsOf(db, 'part'))?.columns.keys() ?? [])]).toEqual(['id', 'note']);
  expect(await statisticsOf(db, 'fresh')).toMatchObject({ rows: null, bytes: 8_192, columns: new Map() });
});
