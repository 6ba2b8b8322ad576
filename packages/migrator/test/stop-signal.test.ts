import { setTimeout } from 'node:timers/promises';
import { Migration } from '@mikro-orm/migrations';
import { describe, expect, test } from 'vitest';
import { backfill, Migrator, MigratorError, standalone } from 'mikro-orm-safe-migrations';
import { contents, first, second } from './chain.ts';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from './kit/database.ts';
import type { Migrations } from './project.ts';

const sleep = 'select pg_sleep(60)';

/** Stops a run as soon as `isReached`; returns what it throws. */
async function stopped(
  db: TestDatabase,
  migrations: Migrations,
  isReached: () => Promise<boolean>,
): Promise<unknown> {
  const controller = new AbortController();
  const run = migratorOn(db, migrations, { signal: controller.signal })
    .up()
    .then(
      () => null,
      (error: unknown) => error,
    );
  await expect.poll(isReached, { interval: 10 }).toBe(true);
  const begun = Date.now();
  controller.abort();
  const error = await run;
  expect(Date.now() - begun).toBeLessThan(3_000);
  return error;
}

async function finds(db: TestDatabase, sql: string): Promise<boolean> {
  return (await db.orm.em.execute(sql)).length > 0;
}

const sleeps = (db: TestDatabase) => () =>
  finds(db, `select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`);

const free = (db: TestDatabase) =>
  finds(db, `select from migrator.lease where expires_at < clock_timestamp() and migration is null`);

describe('a run that is stopped', () => {
  const table = 'create table a (id int)';

  test.each<[string, Migrations, string]>([
    [
      'in a transaction, at its first statement',
      { [first]: { up: [sleep, table] } },
      'at statement 1. It was rolled back.',
    ],
    [
      'in a transaction, at its last statement',
      { [first]: { up: [table, sleep] } },
      'at statement 2. It was rolled back.',
    ],
    [
      'in a block of code',
      { [first]: { up: [table, `do $$ begin perform pg_sleep(60); end $$`] } },
      'at statement 2. It was rolled back.',
    ],
    [
      'in a statement that catches errors',
      {
        [first]: {
          up: [
            table,
            `do $$ begin loop begin perform pg_sleep(60); exception when division_by_zero then null; end; end loop; end $$`,
          ],
        },
      },
      'at statement 2. It was rolled back.',
    ],
    [
      'outside a transaction, in a statement that has one',
      { [first]: { up: [table, sleep], transactional: false } },
      'at statement 2. The next `up` or `down` resumes there.',
    ],
    [
      'outside a transaction, in one that has none',
      { [first]: { up: [table, standalone(sleep, { idempotent: true })], transactional: false } },
      'at statement 2. The next `up` or `down` resumes there.',
    ],
  ])('%s: is cancelled, releases the lease, and is recorded', async (_, migrations, says) => {
    const db = await emptyDatabase();

    const error = await stopped(db, migrations, sleeps(db));

    expect(error).toBeInstanceOf(MigratorError);
    expect(error).toMatchObject({
      code: 'interrupted',
      message: expect.stringContaining(`${first} was stopped in up()`),
    });
    expect(String(error)).toContain(says);
    expect(await free(db)).toBe(true);
    const { log, history } = await contents(db);
    expect(log).toEqual([]);
    expect(
      history.map(({ name, direction, outcome, error: why }) => [name, direction, outcome, why]),
    ).toEqual([[first, 'up', 'interrupted', 'the run was stopped']]);
  });

  test.each([true, false])(
    'while its code queries the database, in a transaction: %s',
    async (transactional) => {
      const db = await emptyDatabase();
      const controller = new AbortController();
      const orm = ormOn(db, {});
      orm.config.get('migrations').migrationsList = [
        {
          name: first,
          class: class extends Migration {
            override isTransactional(): boolean {
              return transactional;
            }
            override async up(): Promise<void> {
              await this.execute('select 1');
              controller.abort();
              await this.execute(table);
              await this.execute(table);
            }
          },
        },
      ];

      const run = new Migrator(orm, { signal: controller.signal }).up();

      await expect(run).rejects.toBeInstanceOf(MigratorError);
      expect((await contents(db)).log).toEqual([]);
    },
  );

  test('before it began: nothing is changed', async () => {
    const db = await emptyDatabase();

    const run = migratorOn(db, { [first]: { up: [table] } }, { signal: AbortSignal.abort() }).up();

    await expect(run).rejects.toMatchObject({ code: 'interrupted' });
    expect((await contents(db)).history).toEqual([]);
  });

  test('keeps the migrations before, and begins no other', async () => {
    const db = await emptyDatabase();

    await stopped(db, { [first]: { up: [table] }, [second]: { up: [sleep] } }, sleeps(db));

    expect((await contents(db)).log.map(({ name }) => name)).toEqual([first]);
    await migratorOn(db, { [first]: { up: [table] }, [second]: { up: ['select 1'] } }).up();
  });

  test('in a backfill resumes at its next batch', async () => {
    const db = await emptyDatabase();
    const update = backfill('n', { by: 'id', set: 'b = b + 1', batch: 10, sleep: 20 });
    const migrations = {
      [first]: {
        up: [
          'create table n as select id, 0 as b from generate_series(1, 200) id',
          'alter table n add primary key (id)',
        ],
      },
      [second]: { up: [update], transactional: false },
    };

    const error = await stopped(db, migrations, async () => {
      const [found] = await db.orm.em.execute(`select where to_regclass('n') is not null`);
      return found !== undefined && finds(db, 'select from n where b = 1');
    });

    expect(error).toMatchObject({ code: 'interrupted' });
    expect(await finds(db, 'select from n where b = 0')).toBe(true);
    await migratorOn(db, migrations).up();
    expect(await db.orm.em.execute('select distinct b from n')).toEqual([{ b: 1 }]);
  });

  test('while it waits for a lock', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, { [first]: { up: [table] } }).up();
    await db.orm.em.transactional(async (em) => {
      await em.execute('lock table a');
      const error = await stopped(
        db,
        { [first]: { up: [table] }, [second]: { up: ['alter table a add b int'] } },
        () => finds(db, `select from pg_locks where not granted and relation = 'a'::regclass`),
      );
      expect(error).toMatchObject({ code: 'interrupted' });
    });
  });

  test('while it waits for another runner', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, { [first]: { up: [table] } }).up();
    await db.orm.em.execute(`update migrator.lease set expires_at = 'infinity', holder = 'another'`);

    const error = await stopped(db, { [first]: { up: [table] }, [second]: { up: [table] } }, async () => {
      await setTimeout(300);
      return true;
    });

    expect(error).toMatchObject({
      code: 'interrupted',
      message: expect.stringContaining('nothing was changed'),
    });
  });
});
