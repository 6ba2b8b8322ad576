import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ConnectionError, ConnectionLostError, openDatabase, type UnitOfWork } from '../../src/index.ts';
import { TestDatabase, anAnalysisRun, anExperiment } from '../../src/testing/index.ts';
import { failureOf } from '../database/told.ts';
import { Watched, inTime } from './watched.ts';
import { outcome } from '../repositories/some-outcomes.ts';

const killAll = `
  import { Client } from 'pg';
  const client = new Client(process.env.DATABASE_URL);
  await client.connect();
  await client.query(\`select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and application_name = 'synth-lab-data'\`);
  await client.end();`;

describe('a unit of work whose server process is lost', () => {
  let db: TestDatabase;
  let watched: Watched;
  beforeAll(async () => {
    db = await TestDatabase.create();
    // The server stays in the middle of a COPY.
    await db.orm.em.execute(`
      create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(60); return new; end';
      create trigger linger before insert on synth_outcomes for each row execute function linger()`);
  });
  beforeEach(async () => void (watched = await Watched.open(db)));
  afterEach(async () => {
    await inTime(1_000, () => watched.database.close());
    await watched.close();
  });
  afterAll(() => db.drop());

  const stored = async (): Promise<number> => {
    const [row] = await db.orm.em
      .fork()
      .execute<{ n: number }[]>('select count(*)::int as n from experiments');
    return row?.n ?? -1;
  };

  test.each([
    ['killed', () => watched.kill()],
    ['cut', async () => watched.proxy.failNow('cut')],
    ['reset', async () => watched.proxy.failNow('reset')],
  ] as const)('under a statement: %s', async (_, strike) => {
    const before = await stored();

    const lost = failureOf(
      watched.database.transact(async (uow) => {
        anExperiment(uow.em);
        await uow.flush();
        await uow.em.execute('select pg_sleep(60)');
      }),
    );
    await watched.runs(/pg_sleep/);
    await strike();

    expect(await lost).toBeInstanceOf(ConnectionLostError);
    await watched.isWhole();
    expect(await stored()).toBe(before);
  });

  test.each([
    ['killed', () => watched.kill()],
    ['cut', async () => watched.proxy.failNow('cut')],
    ['reset', async () => watched.proxy.failNow('reset')],
  ] as const)('between two statements, while it waits for something else: %s', async (_, strike) => {
    const { promise: never } = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const lost = failureOf(
      watched.database.transact(async ({ em }) => {
        await em.execute('select 1');
        held.resolve();
        await never;
      }),
    );
    await held.promise;

    await strike();

    expect(await lost).toBeInstanceOf(ConnectionLostError);
    await watched.isWhole();
  });

  test('can send nothing any more, in whatever way it goes on', async () => {
    const before = await stored();
    const goOn = Promise.withResolvers<void>();
    const failures: unknown[] = [];
    const ended = Promise.withResolvers<void>();
    const lost = failureOf(
      watched.database.transact(async (uow) => {
        await uow.em.execute('select 1');
        goOn.resolve();
        await lost;
        for (const late of [
          () =>
            uow.em.execute(`insert into experiments (id, name, hypothesis) values ('exp_late', 'n', 'h')`),
          () => work(uow),
          () => uow.transact(async ({ em }) => void anExperiment(em)),
        ])
          failures.push(await failureOf(late()));
        ended.resolve();
      }),
    );
    await goOn.promise;

    await watched.kill();
    await ended.promise;

    expect(failures).toHaveLength(3);
    await watched.isWhole();
    expect(await stored()).toBe(before);
  });

  test.each([
    ['killed', () => watched.kill()],
    ['cut', async () => watched.proxy.failNow('cut')],
    ['reset', async () => watched.proxy.failNow('reset')],
  ] as const)('while it copies rows: %s', async (_, strike) => {
    const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));
    const outcomes = Array.from({ length: 2_000 }, (_none, n) => outcome(`syn_${n}`));
    const copying = failureOf(
      watched.database.transact(({ synthOutcomes }) => synthOutcomes.saveAll(id, outcomes)),
    );
    await watched.runs(/^copy /);

    await strike();

    expect(await copying).toBeInstanceOf(ConnectionLostError);
    await watched.isWhole();
    expect(await db.read(({ synthOutcomes }) => synthOutcomes.count(id))).toBe(0);
  });

  test('while it is idle: the pool never gives it out again', async () => {
    await watched.isWhole();

    await watched.kill();
    // The pool has heard of it.
    await expect
      .poll(async () => (await watched.database.orm.em.getConnection().getNativeClient()).totalCount)
      .toBe(0);

    await watched.isWhole();
  });

  test.each(['transact', 'read'] as const)(
    'while it is idle and this process was busy: the next unit of work is served all the same: %s',
    async (method) => {
      await using database = await openDatabase({ url: db.url, pool: { max: 2 } });
      await Promise.all([1, 2].map(() => database.transact(({ em }) => em.execute('select pg_sleep(0.05)'))));

      // Nothing is heard until this has ended.
      execFileSync(process.execPath, ['--input-type=module', '--eval', killAll], {
        cwd: `${import.meta.dirname}/../..`,
        env: { ...process.env, DATABASE_URL: db.url },
      });

      expect(await database[method](({ experiments }) => experiments.find('exp_1'))).toBeNull();
    },
  );

  test('and none is to be had for now', async () => {
    await watched.kill();
    watched.proxy.accepting = false;
    await expect.poll(() => watched.backends()).toEqual([]);

    expect(await failureOf(watched.database.transact(work))).toBeInstanceOf(ConnectionError);
    expect(
      await failureOf(watched.database.read(({ experiments }) => experiments.find('exp_1'))),
    ).toBeInstanceOf(ConnectionError);

    watched.proxy.accepting = true;
    await watched.isWhole();
  });

  test('in a read', async () => {
    for (const snapshot of [true, false]) {
      const lost = failureOf(
        watched.database.read(({ experiments }) => experiments.scrollSummaries(), { snapshot }),
      );
      watched.proxy.failAt(/^select/, 'cut');
      expect(await lost).toBeInstanceOf(ConnectionLostError);
      await watched.isWhole();
    }
  });
});

async function work(uow: UnitOfWork): Promise<void> {
  anExperiment(uow.em);
  await uow.flush();
}
