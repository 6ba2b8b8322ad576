import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { all, contents, first, fourth, migrated, refusal, second, third, without } from './chain.ts';
import { migratorOn, ormOn, emptyDatabase, type TestDatabase } from './kit/database.ts';
import type { Migrations } from './project.ts';
import { runUp } from './run-up.ts';

const squash = 'Migration20260103000000_squash';
const replaces = [first, second, third] as const;

/** The chain, its first three replaced by one. */
const squashed = {
  [squash]: {
    up: replaces.flatMap((name) => all[name].up),
    down: ['drop table third', 'drop table second', 'drop table first'],
    replaces,
  },
  [fourth]: all[fourth],
} satisfies Migrations;

/** How a plan shows that the squash is recorded. */
const planned = {
  name: squash,
  direction: 'up',
  transactional: true,
  known: true,
  statements: [],
  takesOver: [...replaces],
  optional: null,
};

async function migratedDatabase(): Promise<TestDatabase> {
  const db = await migrated();
  onTestFinished(() => db.drop());
  return db;
}

const log = ({ orm: { em } }: TestDatabase) =>
  em.execute<{ id: number; name: string }[]>('select id, name from mikro_orm_migrations order by id');

const conditions = async (migrator: Migrator) =>
  (await migrator.status()).map(({ name, condition }) => [name, condition]);

describe('a database that has all that a squash replaces', () => {
  test('records the squash in their place, and sends nothing of it', async () => {
    const db = await migratedDatabase();
    const before = await contents(db);
    const events: unknown[] = [];

    const runs = await migratorOn(db, squashed, { onEvent: (event) => events.push(event) }).up({
      to: squash,
    });

    expect(runs).toEqual([]);
    expect(events).toEqual([{ kind: 'takeover', name: squash, replaced: replaces }]);
    const after = await contents(db);
    expect([after.catalog, after.rows]).toEqual([before.catalog, before.rows]);
    const times = before.log.map(({ executed_at: at }) => at);
    expect(after.log).toEqual([{ id: 1, name: squash, executed_at: times.at(-1) }]);
    const recorded = after.history.slice(before.history.length);
    expect(recorded.map(({ name, direction, note, outcome }) => [name, direction, note, outcome])).toEqual([
      ...replaces.map((name) => [name, 'replaced', `replaced by ${squash}`, 'done']),
      [squash, 'squash', 'in place of 3 migrations', 'done'],
    ]);
    expect(recorded.every(({ database_role: role, os_user: user }) => Boolean(role && user))).toBe(true);
  });

  test('has later ones: nothing of the log is taken for lost', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, all).up();

    expect(await migratorOn(db, squashed).planUp()).toEqual([planned]);
    expect(await migratorOn(db, squashed).planDown()).toMatchObject([planned, { name: fourth }]);
    expect(await migratorOn(db, squashed).planDown({ to: fourth })).toEqual([]);
    expect(await migratorOn(db, squashed).up()).toEqual([]);
    expect(await migratorOn(db, squashed).planUp()).toEqual([]);
    expect(await migratorOn(db, squashed).up()).toEqual([]);

    expect((await log(db)).map(({ id, name }) => [id, name])).toEqual([
      [1, squash],
      [4, fourth],
    ]);
  });

  test('is shown as such by status, and agrees afterwards', async () => {
    const db = await migratedDatabase();
    const migrator = migratorOn(db, squashed);
    const before = await contents(db);

    expect(await conditions(migrator)).toEqual([
      [squash, 'takeover'],
      [fourth, 'pending'],
    ]);
    expect(await migrator.planUp()).toMatchObject([planned, { name: fourth, takesOver: [] }]);
    expect((await migrator.check()).migrations.map(({ name, condition }) => [name, condition])).toEqual([
      [squash, 'takeover'],
      [fourth, 'pending'],
    ]);
    expect(await contents(db)).toEqual(before);

    expect((await migrator.up()).map(({ name }) => name)).toEqual([fourth]);
    expect(await conditions(migrator)).toEqual([
      [squash, 'applied'],
      [fourth, 'applied'],
    ]);
    expect(await migrator.check()).toMatchObject({ migrations: [], database: [] });
    expect(await migrator.up()).toEqual([]);
  });

  test('can be reverted and migrated again', async () => {
    const db = await migratedDatabase();
    const migrator = migratorOn(db, squashed);

    expect((await migrator.redo()).map(({ name, direction }) => [name, direction])).toEqual([
      [squash, 'down'],
      [squash, 'up'],
    ]);
    await migrator.up();
    expect((await migrator.down({ all: true })).map(({ name }) => name)).toEqual([fourth, squash]);
    expect((await migrator.up()).map(({ name }) => name)).toEqual([squash, fourth]);
    expect(await migrator.check()).toMatchObject({ migrations: [], database: [] });
  });

  test("is applied for the ORM's own migrator", async () => {
    const db = await migratedDatabase();
    await migratorOn(db, squashed).up({ to: squash });
    const orm = ormOn(db, squashed);

    expect((await orm.migrator.getExecuted()).map(({ name }) => name)).toEqual([squash]);
    expect((await orm.migrator.up()).map(({ name }) => name)).toEqual([fourth]);
    expect((await log(db)).map(({ name }) => name)).toEqual([squash, fourth]);
  });

  test('was migrated by the ORM, which logs names with an extension in some versions', async () => {
    const db = await emptyDatabase();
    await ormOn(db, without(fourth)).migrator.up();
    await db.orm.em.execute(`update mikro_orm_migrations set name = name || '.ts'`);

    expect((await migratorOn(db, squashed).up()).map(({ name }) => name)).toEqual([fourth]);
    expect((await log(db)).map(({ name }) => name)).toEqual([squash, fourth]);
  });

  test('has a later one that was applied before some of them: it is reverted before the squash', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, without(third)).up();
    await migratorOn(db, all).up({ allowOutOfOrder: true });
    const migrator = migratorOn(db, squashed);

    expect(await conditions(migrator)).toEqual([
      [squash, 'takeover'],
      [fourth, 'applied'],
    ]);
    expect((await migrator.down({ all: true })).map(({ name }) => name)).toEqual([fourth, squash]);
  });

  test('has a history of an older version, whose check lacks the new actions', async () => {
    const db = await migratedDatabase();
    await db.orm.em.execute(
      `alter table migrator.history drop constraint history_direction_check,
         add constraint history_direction_check check (direction in ('up', 'down', 'baseline', 'text', 'applied', 'reverted', 'abandon', 'accept', 'forget'))`,
    );

    await migratorOn(db, squashed).up();

    expect(await conditions(migratorOn(db, squashed))).toEqual([
      [squash, 'applied'],
      [fourth, 'applied'],
    ]);
  });

  test('takes over in one transaction: a killed runner leaves it as it was', async () => {
    const db = await migratedDatabase();
    await db.orm.em.execute(
      `create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return new; end $$;
       create trigger slow before insert on mikro_orm_migrations for each row execute function slow()`,
    );
    const before = await contents(db);
    const runner = runUp(db.url, squashed, { lease: 500 });
    await until(async () => {
      const [found] = await db.orm.em.execute(
        `select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`,
      );
      return found !== undefined;
    });

    runner.kill('SIGKILL');
    await once(runner, 'close');

    expect(await contents(db)).toEqual(before);
    await db.orm.em.execute(
      `select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database();
       drop trigger slow on mikro_orm_migrations`,
    );
    expect((await migratorOn(db, squashed).up()).map(({ name }) => name)).toEqual([fourth]);
    expect((await log(db)).map(({ name }) => name)).toEqual([squash, fourth]);
  });

  test('is refused by the code that lacks the squash, even with --allow-ahead', async () => {
    const db = await migratedDatabase();
    await migratorOn(db, squashed).up();

    const why = await refusal(db, () => migratorOn(db, all).up({ allowAhead: true }));

    expect(why).toContain(squash);
  });

  test('is shared by two chains: the other keeps its own', async () => {
    const db = await migratedDatabase();
    const other = { migrations: { tableName: 'other_log' } };
    const moved = Object.fromEntries(
      Object.entries(without(fourth)).map(([name, { up }]) => [
        name,
        { up: up.map((sql) => sql.replace('table ', 'table other_')) },
      ]),
    );
    const migrator = new Migrator(ormOn(db, moved, other));
    await migrator.up();

    await migratorOn(db, squashed).up();

    expect(await conditions(migrator)).toEqual(replaces.map((name) => [name, 'applied']));
  });
});

test('a database that has none of what a squash replaces runs it', async () => {
  const db = await emptyDatabase();
  const old = await migratedDatabase();

  const runs = await migratorOn(db, squashed).up({ to: squash });

  expect(runs.map(({ name, direction }) => [name, direction])).toEqual([[squash, 'up']]);
  expect((await contents(db)).catalog).toEqual((await contents(old)).catalog);
});

describe('a squash of a squash', () => {
  const last = 'Migration20260104000000_again';
  const again = {
    [last]: {
      up: [...squashed[squash].up, ...all[fourth].up],
      down: ['drop table fourth', ...squashed[squash].down],
      replaces: [squash, fourth],
    },
  };

  test('takes over from a database that recorded the first', async () => {
    const db = await migratedDatabase();
    await migratorOn(db, squashed).up();

    expect(await migratorOn(db, again).up()).toEqual([]);

    expect(await log(db)).toEqual([{ id: 1, name: last }]);
    expect(await migratorOn(db, again).check()).toMatchObject({ migrations: [], database: [] });
  });

  test('is refused by a database that skipped the first', async () => {
    const db = await migratedDatabase();
    await migratorOn(db, all).up();

    const why = await refusal(db, () => migratorOn(db, again).up());

    expect(why).toContain(`of which this database lacks ${squash}: first run \`up\` of the release`);
  });
});

/** A database that has the first and the third only. */
async function partial(): Promise<TestDatabase> {
  const db = await emptyDatabase();
  await migratorOn(db, without(second, fourth)).up();
  return db;
}

describe('a database that has a part of what a squash replaces', () => {
  const commands: Record<string, (migrator: Migrator) => Promise<unknown>> = {
    up: (migrator) => migrator.up(),
    'up out of order': (migrator) => migrator.up({ allowOutOfOrder: true }),
    'up ahead': (migrator) => migrator.up({ allowAhead: true }),
    down: (migrator) => migrator.down(),
    redo: (migrator) => migrator.redo(),
    'plan up': (migrator) => migrator.planUp(),
    'plan down': (migrator) => migrator.planDown(),
    baseline: (migrator) => migrator.baseline(squash),
  };

  test.each(Object.entries(commands))('is refused by %s, with the names of the others', async (_, run) => {
    const db = await partial();

    const why = await refusal(db, () => run(migratorOn(db, squashed)));

    expect(why).toBe(
      `${squash} replaces 3 migrations, of which this database lacks ${second}: first run \`up\` of the release that still has their files`,
    );
  });

  test('is blocked by status, until the older release has applied the others', async () => {
    const db = await partial();

    expect(await conditions(migratorOn(db, squashed))).toEqual([
      [first, 'missing'],
      [squash, 'blocked'],
      [third, 'missing'],
      [fourth, 'pending'],
    ]);
    await migratorOn(db, without(fourth)).up({ allowOutOfOrder: true });
    expect((await migratorOn(db, squashed).up()).map(({ name }) => name)).toEqual([fourth]);
  });
});

describe('a takeover is refused', () => {
  test.each<[string, string, Migrations, (db: TestDatabase) => Promise<unknown>]>([
    [
      'while the code has a file that it replaces',
      `replaces ${second}, which the code still has`,
      { [second]: all[second], ...squashed },
      async () => {},
    ],
    [
      'where one is twice in the log',
      `replaces ${second}, which has several rows in the log`,
      squashed,
      ({ orm }) => orm.em.execute('insert into mikro_orm_migrations (name) values (?)', [second]),
    ],
    [
      'where one was interrupted while it was reverted',
      `replaces ${second}, which was interrupted`,
      squashed,
      ({ orm }) =>
        orm.em.execute(
          `insert into migrator.progress (chain, name, direction, statement, checksum, done) values ('"public"."mikro_orm_migrations"', ?, 'down', 0, '', true)`,
          [second],
        ),
    ],
  ])('%s', async (_, says, migrations, arrange) => {
    const db = await migratedDatabase();
    await arrange(db);

    expect(await refusal(db, () => migratorOn(db, migrations).up())).toContain(says);
  });

  test('by a trigger that discards the row of the squash: nothing is changed', async () => {
    const db = await migratedDatabase();
    await db.orm.em.execute(
      `create function discard() returns trigger language plpgsql as 'begin return null; end';
       create trigger discard before insert on mikro_orm_migrations for each row execute function discard()`,
    );
    const before = await contents(db);

    await expect(migratorOn(db, squashed).up()).rejects.toThrow('a trigger discards its rows');

    expect(await contents(db)).toEqual(before);
  });
});

test.each(['applied', 'reverted', 'forget'] as const)(
  'repair %s is refused before a takeover',
  async (action) => {
    const db = await migratedDatabase();

    const why = await refusal(db, () =>
      migratorOn(db, squashed).repair({ action, name: squash, reason: 'a test' }),
    );

    expect(why).toContain('run `up` first');
  },
);

async function until(isSo: () => Promise<boolean>): Promise<void> {
  await expect.poll(isSo).toBe(true);
}
