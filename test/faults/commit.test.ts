import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CommitUnknownError, DanglingReferenceError, StatementError } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { rejectionOf } from '../database/reported-error.ts';
import { ProxiedDatabase } from './proxied-database.ts';

describe('a commit', () => {
  let db: TestDatabase;
  let proxied: ProxiedDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.orm.em.execute(`
      create table owners (id int primary key);
      create table owned (owner int constraint fk_owned_owner references owners deferrable initially deferred);
      create table slow (n int);
      create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(60); return new; end';
      create constraint trigger linger after insert on slow deferrable initially deferred
        for each row execute function linger()`);
  });
  beforeEach(async () => void (proxied = await ProxiedDatabase.open(db)));
  afterEach(() => proxied.close());
  afterAll(() => db.drop());

  const stored = async (name: string): Promise<number> =>
    (await db.orm.em.fork().execute('select 1 from experiments where name = ?', [name])).length;

  test('that a deferred constraint refuses rejects with it, and nothing is stored', async () => {
    const refused = await rejectionOf(
      proxied.database.transact(async ({ em }) => {
        anExperiment(em, { name: 'deferred' });
        await em.execute('insert into owned values (7)');
      }),
    );

    expect(refused).toBeInstanceOf(DanglingReferenceError);
    expect(refused).toMatchObject({ constraint: 'fk_owned_owner', table: 'owned' });
    expect(await stored('deferred')).toBe(0);
    await proxied.expectRecovered();
  });

  test('that the server turns into a rollback after a caught error of a statement rejects', async () => {
    const refused = await rejectionOf(
      proxied.database.transact(async ({ em }) => {
        await em.execute(
          `insert into experiments (id, name, hypothesis) values ('exp_hidden', 'hidden', 'h')`,
        );
        await rejectionOf(em.execute('select 1 / 0'));
      }),
    );

    expect(refused).toBeInstanceOf(StatementError);
    expect(await stored('hidden')).toBe(0);
    await proxied.expectRecovered();
  });

  test.each([
    ['cut', 0],
    ['reset', 0],
    ['cut after sending', 1],
  ] as const)('that is %s leaves its outcome unknown, and is not retried', async (fault, written) => {
    let runs = 0;
    proxied.proxy.failAt(/^commit/, fault);

    const failure = await rejectionOf(
      proxied.database.transact(
        async ({ em }) => {
          runs += 1;
          anExperiment(em, { name: fault });
        },
        { retries: 5 },
      ),
    );

    expect(failure).toBeInstanceOf(CommitUnknownError);
    expect(failure).toMatchObject({ code: 'commit_unknown', cause: expect.any(Error) });
    expect(runs).toBe(1);
    expect(await stored(fault)).toBe(written);
    await proxied.expectRecovered();
  });

  test('whose server process is killed meanwhile leaves its outcome unknown', async () => {
    const failing = rejectionOf(
      proxied.database.transact(({ em }) => em.execute('insert into slow values (1)'), { retries: 5 }),
    );
    await proxied.waitUntilRunning(/^commit/);

    await proxied.kill();

    expect(await failing).toBeInstanceOf(CommitUnknownError);
    await proxied.expectRecovered();
  });

  test('of a read-only transaction never has an unknown outcome', async () => {
    proxied.proxy.failAt(/^commit/, 'cut');

    const failure = await rejectionOf(
      proxied.database.read(({ experiments }) => experiments.scrollSummaries(), { snapshot: true }),
    );

    expect(failure).toMatchObject({ code: 'connection_lost' });
    await proxied.expectRecovered();
  });

  test('after the connection was lost is not sent', async () => {
    const failure = await rejectionOf(
      proxied.database.transact(async ({ em }) => {
        anExperiment(em, { name: 'never sent' });
        await em.flush();
        await proxied.kill();
        await proxied.waitUntilReleased();
      }),
    );

    expect(failure).toMatchObject({ code: 'connection_lost' });
    expect(proxied.proxy.statements).not.toContain('commit');
  });

  // A transaction of the ORM itself is not interrupted: it sends its commit on the lost connection.
  test("of the ORM's own transaction on a lost connection is known not to be sent", async () => {
    const em = proxied.database.orm.em.fork();
    await em.begin();
    await em.execute('select 1');
    await proxied.kill();
    await proxied.waitUntilReleased();

    const failure = await rejectionOf(em.commit());

    expect(failure).not.toBeInstanceOf(CommitUnknownError);
    expect(failure).toMatchObject({ cause: { message: expect.stringMatching(/not queryable/) } });
    expect(proxied.proxy.statements).not.toContain('commit');
  });
});
