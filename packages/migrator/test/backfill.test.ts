import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  backfill,
  MigrationRefusedError,
  type BackfillUpdate,
  type MigrationEvent,
} from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from './kit/database.ts';
import { OutsideSession } from './kit/outside-session.ts';
import type { Migrations } from './project.ts';
import { runUp } from './run-up.ts';

const name = 'Migration1_count';

function filled(rows: number): string[] {
  return [
    'create table things (id int primary key, n int not null default 0, odd boolean not null)',
    `insert into things select i, 0, i % 2 = 1 from generate_series(1, ${rows}) i`,
  ];
}

function counting(options: Partial<BackfillUpdate> = {}): Migrations {
  return {
    [name]: {
      up: [backfill('things', { by: 'id', set: 'n = n + 1', ...options })],
      down: [backfill('things', { by: 'id', set: 'n = n - 1', ...options })],
      transactional: false,
    },
  };
}

async function thousands(rows: number): Promise<TestDatabase> {
  const db = await emptyDatabase();
  for (const sql of [...filled(rows), 'analyze things']) await db.orm.em.execute(sql);
  return db;
}

/** How many rows there are of each count. */
async function counts({ orm }: TestDatabase, table = 'things'): Promise<Record<string, number>> {
  const rows = await orm.em.execute<{ n: number; rows: number }[]>(
    `select n, count(*)::int as rows from ${table} group by n`,
  );
  return Object.fromEntries(rows.map((row) => [row.n, row.rows]));
}

describe('a backfill', () => {
  test('updates every row once, in one transaction per batch, in both directions', async () => {
    const db = await thousands(10_000);
    await db.orm.em.execute('alter table things add batch text');
    const noting = counting({ batch: 1_000, set: 'n = n + 1, batch = pg_current_xact_id()::text' });
    const transactions = () =>
      db.orm.em.execute<{ rows: number }[]>('select count(*)::int as rows from things group by batch');

    await migratorOn(db, noting).up();

    expect(await counts(db)).toEqual({ 1: 10_000 });
    expect(await transactions()).toEqual(Array.from({ length: 10 }, () => ({ rows: 1_000 })));
    await migratorOn(db, noting).down();
    expect(await counts(db)).toEqual({ 2: 10_000 });
  });

  test('emits the processed rows, the rate and the remaining time', async () => {
    const db = await thousands(10_000);
    const events: MigrationEvent[] = [];

    await migratorOn(db, counting({ batch: 1_000, sleep: 10 }), {
      onEvent: (event) => events.push(event),
    }).up();

    const batches = events.filter((event) => event.kind === 'batch');
    expect(batches.map(({ rows }) => rows).slice(0, 10)).toEqual(
      Array.from({ length: 10 }, (_, i) => (i + 1) * 1_000),
    );
    for (const { table, rowsPerSecond, rows, remaining } of batches) {
      expect(table).toBe('things');
      expect(rowsPerSecond).toBeGreaterThan(0);
      // By the rate so far; the planner knows the number of rows, as the table was analyzed.
      expect(remaining).toBe(Math.round(((10_000 - rows) / rowsPerSecond) * 1_000));
    }
  });

  test('does not update rows that do not match, but counts them in batches', async () => {
    const db = await thousands(1_000);
    const events: MigrationEvent[] = [];

    await migratorOn(db, counting({ where: 'odd -- all others stay', batch: 300 }), {
      onEvent: (event) => events.push(event),
    }).up();

    expect(await counts(db)).toEqual({ 0: 500, 1: 500 });
    expect(events.filter(({ kind }) => kind === 'batch')).toHaveLength(4);
  });

  test('does nothing for an empty table', async () => {
    const db = await thousands(0);

    await migratorOn(db, counting()).up();

    expect(await counts(db)).toEqual({});
  });

  test.each([
    ["text with a language's collation", 'text collate "und-x-icu"', `chr(64 + i % 60) || '''"\\' || i`],
    ['uuid', 'uuid', 'gen_random_uuid()'],
    [
      'microseconds',
      'timestamptz',
      `timestamptz '2026-01-01 00:00:00.000001+00' + i * interval '1 microsecond'`,
    ],
    ['numeric', 'numeric', 'i / 7.0'],
    ['ties', 'int', 'i / 100'],
    ['bytea', 'bytea', `int4send(i)`],
  ])('orders by a key of %s', async (_, type, value) => {
    const db = await emptyDatabase();
    await db.orm.em.execute(
      `create table "Odd ""things" ("the key" ${type} not null, n int not null default 0)`,
    );
    await db.orm.em.execute(`create index on "Odd ""things" ("the key")`);
    await db.orm.em.execute(`insert into "Odd ""things" select ${value} from generate_series(1, 700) i`);
    const up = [backfill('Odd "things', { by: 'the key', set: 'n = n + 1', batch: 90 })];

    await migratorOn(db, { [name]: { up, transactional: false } }).up();

    expect(await counts(db, '"Odd ""things"')).toEqual({ 1: 700 });
  });

  test('orders by several columns, in another schema', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute('create schema apart');
    await db.orm.em.execute(
      'create table apart.things (a int, b text, n int not null default 0, primary key (a, b))',
    );
    await db.orm.em.execute(`insert into apart.things select i % 7, i from generate_series(1, 700) i`);
    const up = [backfill('apart.things', { by: ['a', 'b'], set: 'n = n + 1', batch: 90 })];

    await migratorOn(db, { [name]: { up, transactional: false } }).up();

    expect(await counts(db, 'apart.things')).toEqual({ 1: 700 });
  });

  test("is one UPDATE for the ORM's own migrator", async () => {
    const db = await thousands(100);

    await ormOn(db, counting({ where: 'odd', batch: 10 })).migrator.up();

    expect(await counts(db)).toEqual({ 0: 50, 1: 50 });
  });
});

describe('an interrupted backfill', () => {
  test('resumes after kill -9, and updates no row twice', async () => {
    const db = await thousands(10_000);
    const migrations = counting({ batch: 200, sleep: 5 });
    const runner = runUp(db.url, migrations, { lease: 1_000 });
    await reached(db, 3_000);

    runner.kill('SIGKILL');
    await once(runner, 'exit');

    const before = await counts(db);
    expect(before[1]).toBeGreaterThanOrEqual(3_000);
    expect(before[0]).toBeGreaterThan(0);
    const events: MigrationEvent[] = [];
    await migratorOn(db, migrations, { onEvent: (event) => events.push(event) }).up();
    expect(await counts(db)).toEqual({ 1: 10_000 });
    // It did not restart.
    expect(events.find((event) => event.kind === 'batch')?.rows).toBeGreaterThan(3_000);
    expect(await db.orm.em.execute('select outcome from migrator.history order by id')).toEqual([
      { outcome: 'interrupted' },
      { outcome: 'done' },
    ]);
  });

  test("resumes after a row that it can't update, with another batch size and pause", async () => {
    const db = await thousands(1_000);
    await db.orm.em.execute('alter table things add check (n < 5)');
    await db.orm.em.execute('update things set n = 4 where id = 555');
    await expect(migratorOn(db, counting({ batch: 100 })).up()).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringMatching(
        /^Migration1_count failed in up\(\) at statement 1: .* \(23514\).*resumes there/,
      ),
    });
    expect(await counts(db)).toEqual({ 0: 499, 1: 500, 4: 1 });
    await db.orm.em.execute('update things set n = 0 where id = 555');

    await expect(migratorOn(db, counting({ set: 'n = n + 2' })).up()).rejects.toThrow(
      'which has been edited since',
    );
    await migratorOn(db, counting({ batch: 10, sleep: 1 })).up();

    expect(await counts(db)).toEqual({ 1: 1_000 });
  });

  test('does not record a batch whose commit failed', async () => {
    const db = await thousands(1_000);
    await db.orm.em.execute(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
      create constraint trigger late after update on things deferrable initially deferred
        for each row when (new.id = 555) execute function refuse()`);
    await expect(migratorOn(db, counting({ batch: 100 })).up()).rejects.toMatchObject({ code: 'failed' });
    expect(await counts(db)).toEqual({ 0: 500, 1: 500 });
    await db.orm.em.execute('drop trigger late on things');

    await migratorOn(db, counting({ batch: 100 })).up();

    expect(await counts(db)).toEqual({ 1: 1_000 });
  });

  test('rolls back and retries a batch with a locked row', async () => {
    const db = await thousands(1_000);
    await using outside = await OutsideSession.holding(db, 'select from things where id = 555 for update');
    const { promise: retried, resolve } = Promise.withResolvers<void>();
    const up = migratorOn(db, counting({ batch: 100 }), {
      lockTimeout: 50,
      onEvent: ({ kind }) => kind === 'retrying' && resolve(),
    }).up();
    await retried;

    expect(await counts(db)).toEqual({ 0: 500, 1: 500 });
    await outside.release();
    await up;

    expect(await counts(db)).toEqual({ 1: 1_000 });
  });

  test('retries a batch after a deadlock', async () => {
    const db = await thousands(1_000);
    await using outside = await OutsideSession.holding(
      db,
      `set local deadlock_timeout = '1min'; update things set odd = odd where id = 190`,
    );
    const events: MigrationEvent[] = [];
    const up = migratorOn(db, counting({ batch: 100 }), {
      lockTimeout: 30_000,
      onEvent: (event) => events.push(event),
    }).up();
    await outside.waiting(1, 'update "things"');

    // The batch has row 110 and waits for 190; the session that detects the deadlock first is rolled back.
    await outside.execute('update things set odd = odd where id = 110');
    await outside.release();
    await up;

    expect(events.map(({ kind }) => kind)).toContain('retrying');
    expect(await counts(db)).toEqual({ 1: 1_000 });
  });
});

describe('a backfill is refused', () => {
  test('in a transactional migration, before the first statement of the run', async () => {
    const db = await emptyDatabase();
    const migrations = {
      Migration0_things: { up: filled(10) },
      [name]: { up: [backfill('things', { by: 'id', set: 'n = 1' })] },
    };

    await expect(migratorOn(db, migrations).up()).rejects.toThrow(
      new MigrationRefusedError(
        'Migration1_count runs a backfill in one transaction: return false from its isTransactional(), or use a plain UPDATE',
      ),
    );

    expect(await db.orm.em.execute(`select to_regclass('things') as things`)).toEqual([{ things: null }]);
  });

  test.each([
    ['a missing column', { by: 'key' }, 'things has no column "key" to order by'],
    ['a column with nulls', { by: 'spare' }, 'allows nulls'],
    ['columns of no index', { by: ['n', 'id'] }, 'no index of things begins with n, id'],
    ['an index of some rows', { by: 'odd' }, 'no index of things begins with odd'],
  ])('ordered by %s, when it runs', async (_, options, says) => {
    const db = await thousands(10);
    await db.orm.em.execute('alter table things add spare int unique');
    await db.orm.em.execute('create index on things (odd) where odd');

    await expect(migratorOn(db, counting(options)).up()).rejects.toThrow(says);

    expect(await counts(db)).toEqual({ 0: 10 });
  });

  test.each([
    [{ batch: 0 }, 'batch: 0 is not a number of rows'],
    [{ batch: Number.NaN }, 'batch: NaN is not a number of rows'],
    [{ sleep: -1 }, 'sleep: -1 is not a time in milliseconds'],
    [{ by: [] }, 'by is empty'],
    [{ set: ' ' }, 'set is empty'],
    [{ where: '' }, 'where is empty'],
  ])('with %o', (options, says) => {
    expect(() => backfill('things', { by: 'id', set: 'n = 1', ...options })).toThrow(says);
  });

  test('when its text was changed', async () => {
    const db = await thousands(10);
    const text = backfill('things', { by: 'id', set: 'n = 1' });
    const up = [text.replace(/n = 1$/, 'n = 2')];

    await expect(migratorOn(db, { [name]: { up, transactional: false } }).up()).rejects.toThrow(
      'the text of a backfill was changed',
    );
  });
});

test('keeps the text of a backfill, which checksums of applied migrations include', () => {
  expect(
    backfill('a.synths', { by: ['id'], set: 'x = lower(y)', where: 'x is null', batch: 5_000, sleep: 20 }),
  ).toBe(
    [
      '-- backfill {"table":"a.synths","by":["id"],"set":"x = lower(y)","where":"x is null","batch":5000,"sleep":20}',
      'update "a"."synths" set',
      '  x = lower(y)',
      'where (',
      '  x is null',
      ')',
    ].join('\n'),
  );
});

/** Returns when the running backfill has gone through so many rows. */
async function reached({ orm }: TestDatabase, rows: number): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const [place] = await orm.em
      .execute<{ rows: number }[]>(`select (place->>'rows')::int as rows from migrator.progress`)
      .catch(() => []);
    if (place && place.rows >= rows) return;
    await setTimeout(10);
  }
  throw new Error(`no backfill came to ${rows} rows`);
}
