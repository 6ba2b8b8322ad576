import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ConnectionError, ConnectionLostError, openDatabase, type UnitOfWork } from '../../src/index.ts';
import { TestDatabase, anAnalysisRun, anExperiment } from '../../src/testing/index.ts';
import { rejectionOf } from '../database/reported-error.ts';
import { ProxiedDatabase, within } from './proxied-database.ts';
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
  let proxied: ProxiedDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    // The server waits for more rows of the COPY.
    await db.orm.em.execute(`
      create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(60); return new; end';
      create trigger linger before insert on synth_outcomes for each row execute function linger()`);
  });
  beforeEach(async () => void (proxied = await ProxiedDatabase.open(db)));
  afterEach(async () => {
    await within(1_000, () => proxied.database.close());
    await proxied.close();
  });
  afterAll(() => db.drop());

  const stored = async (): Promise<number> => {
    const [row] = await db.orm.em
      .fork()
      .execute<{ n: number }[]>('select count(*)::int as n from experiments');
    return row?.n ?? -1;
  };

  test.each([
    ['killed', () => proxied.kill()],
    ['cut', async () => proxied.proxy.failNow('cut')],
    ['reset', async () => proxied.proxy.failNow('reset')],
  ] as const)('during a statement: %s', async (_, strike) => {
    const before = await stored();

    const lost = rejectionOf(
      proxied.database.transact(async (uow) => {
        anExperiment(uow.em);
        await uow.flush();
        await uow.em.execute('select pg_sleep(60)');
      }),
    );
    await proxied.waitUntilRunning(/pg_sleep/);
    await strike();

    expect(await lost).toBeInstanceOf(ConnectionLostError);
    await proxied.expectRecovered();
    expect(await stored()).toBe(before);
  });

  test.each([
    ['killed', () => proxied.kill()],
    ['cut', async () => proxied.proxy.failNow('cut')],
    ['reset', async () => proxied.proxy.failNow('reset')],
  ] as const)('between two statements, while work waits: %s', async (_, strike) => {
    const { promise: never } = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const lost = rejectionOf(
      proxied.database.transact(async ({ em }) => {
        await em.execute('select 1');
        held.resolve();
        await never;
      }),
    );
    await held.promise;

    await strike();

    expect(await lost).toBeInstanceOf(ConnectionLostError);
    await proxied.expectRecovered();
  });

  test('can send nothing more, by any handle', async () => {
    const before = await stored();
    const goOn = Promise.withResolvers<void>();
    const failures: unknown[] = [];
    const ended = Promise.withResolvers<void>();
    const lost = rejectionOf(
      proxied.database.transact(async (uow) => {
        await uow.em.execute('select 1');
        goOn.resolve();
        await lost;
        for (const late of [
          () =>
            uow.em.execute(`insert into experiments (id, name, hypothesis) values ('exp_late', 'n', 'h')`),
          () => work(uow),
          () => uow.transact(async ({ em }) => void anExperiment(em)),
        ])
          failures.push(await rejectionOf(late()));
        ended.resolve();
      }),
    );
    await goOn.promise;

    await proxied.kill();
    await ended.promise;

    expect(failures).toHaveLength(3);
    await proxied.expectRecovered();
    expect(await stored()).toBe(before);
  });

  test.each([
    ['killed', () => proxied.kill()],
    ['cut', async () => proxied.proxy.failNow('cut')],
    ['reset', async () => proxied.proxy.failNow('reset')],
  ] as const)('while it copies rows: %s', async (_, strike) => {
    const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));
    const outcomes = Array.from({ length: 2_000 }, (_none, n) => outcome(`syn_${n}`));
    const copying = rejectionOf(
      proxied.database.transact(({ synthOutcomes }) => synthOutcomes.saveAll(id, outcomes)),
    );
    await proxied.waitUntilRunning(/^copy /);

    await strike();

    expect(await copying).toBeInstanceOf(ConnectionLostError);
    await proxied.expectRecovered();
    expect(await db.read(({ synthOutcomes }) => synthOutcomes.count(id))).toBe(0);
  });

  test('while it is idle is not returned by the pool again', async () => {
    await proxied.expectRecovered();

    await proxied.kill();
    // The pool has detected it.
    await expect
      .poll(async () => (await proxied.database.orm.em.getConnection().getNativeClient()).totalCount)
      .toBe(0);

    await proxied.expectRecovered();
  });

  test.each(['transact', 'read'] as const)(
    'while it is idle and this process is busy does not fail the next unit of work: %s',
    async (method) => {
      await using database = await openDatabase({ url: db.url, pool: { max: 2 } });
      await Promise.all([1, 2].map(() => database.transact(({ em }) => em.execute('select pg_sleep(0.05)'))));

      // No event is processed until this has ended.
      execFileSync(process.execPath, ['--input-type=module', '--eval', killAll], {
        cwd: `${import.meta.dirname}/../..`,
        env: { ...process.env, DATABASE_URL: db.url },
      });

      expect(await database[method](({ experiments }) => experiments.find('exp_1'))).toBeNull();
    },
  );

  test('fails when no new connection is possible', async () => {
    await proxied.kill();
    proxied.proxy.accepting = false;
    await expect.poll(() => proxied.backends()).toEqual([]);

    expect(await rejectionOf(proxied.database.transact(work))).toBeInstanceOf(ConnectionError);
    expect(
      await rejectionOf(proxied.database.read(({ experiments }) => experiments.find('exp_1'))),
    ).toBeInstanceOf(ConnectionError);

    proxied.proxy.accepting = true;
    await proxied.expectRecovered();
  });

  test('in a read', async () => {
    for (const snapshot of [true, false]) {
      const lost = rejectionOf(
        proxied.database.read(({ experiments }) => experiments.scrollSummaries(), { snapshot }),
      );
      proxied.proxy.failAt(/^select/, 'cut');
      expect(await lost).toBeInstanceOf(ConnectionLostError);
      await proxied.expectRecovered();
    }
  });
});

async function work(uow: UnitOfWork): Promise<void> {
  anExperiment(uow.em);
  await uow.flush();
}
