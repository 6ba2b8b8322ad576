import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CommitUnknownError, DanglingReferenceError, StatementError } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { failureOf } from '../database/told.ts';
import { Watched } from './watched.ts';

describe('a commit', () => {
  let db: TestDatabase;
  let watched: Watched;
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
  beforeEach(async () => void (watched = await Watched.open(db)));
  afterEach(() => watched.close());
  afterAll(() => db.drop());

  const stored = async (name: string): Promise<number> =>
    (await db.orm.em.fork().execute('select 1 from experiments where name = ?', [name])).length;

  test('that a deferred constraint refuses rejects by it, and leaves nothing', async () => {
    const refused = await failureOf(
      watched.database.transact(async ({ em }) => {
        anExperiment(em, { name: 'deferred' });
        await em.execute('insert into owned values (7)');
      }),
    );

    expect(refused).toBeInstanceOf(DanglingReferenceError);
    expect(refused).toMatchObject({ constraint: 'fk_owned_owner', table: 'owned' });
    expect(await stored('deferred')).toBe(0);
    await watched.isWhole();
  });

  test('that the server turns into a rollback, since a statement had failed and nobody told, rejects', async () => {
    const refused = await failureOf(
      watched.database.transact(async ({ em }) => {
        await em.execute(
          `insert into experiments (id, name, hypothesis) values ('exp_hidden', 'hidden', 'h')`,
        );
        await failureOf(em.execute('select 1 / 0'));
      }),
    );

    expect(refused).toBeInstanceOf(StatementError);
    expect(await stored('hidden')).toBe(0);
    await watched.isWhole();
  });

  test.each([
    ['cut', 0],
    ['reset', 0],
    ['cut after sending', 1],
  ] as const)('that is %s says that its outcome is unknown, and is not run again', async (fault, written) => {
    let runs = 0;
    watched.proxy.failAt(/^commit/, fault);

    const failure = await failureOf(
      watched.database.transact(
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
    await watched.isWhole();
  });

  test('whose server process is killed meanwhile says so too', async () => {
    const failing = failureOf(
      watched.database.transact(({ em }) => em.execute('insert into slow values (1)'), { retries: 5 }),
    );
    await watched.runs(/^commit/);

    await watched.kill();

    expect(await failing).toBeInstanceOf(CommitUnknownError);
    await watched.isWhole();
  });

  test('of a transaction that only read has nothing to be unknown', async () => {
    watched.proxy.failAt(/^commit/, 'cut');

    const failure = await failureOf(
      watched.database.read(({ experiments }) => experiments.scrollSummaries(), { snapshot: true }),
    );

    expect(failure).toMatchObject({ code: 'connection_lost' });
    await watched.isWhole();
  });

  test('that the connection did not live to see was not sent', async () => {
    const failure = await failureOf(
      watched.database.transact(async ({ em }) => {
        anExperiment(em, { name: 'never sent' });
        await em.flush();
        await watched.kill();
        await watched.hasNoticed();
      }),
    );

    expect(failure).toMatchObject({ code: 'connection_lost' });
    expect(watched.proxy.statements).not.toContain('commit');
  });

  // Nothing interrupts a transaction that the ORM was asked for directly: its commit is asked of the lost connection.
  test("of the ORM's own transaction on a connection that was lost before is known not to be sent", async () => {
    const em = watched.database.orm.em.fork();
    await em.begin();
    await em.execute('select 1');
    await watched.kill();
    await watched.hasNoticed();

    const failure = await failureOf(em.commit());

    expect(failure).not.toBeInstanceOf(CommitUnknownError);
    expect(failure).toMatchObject({ cause: { message: expect.stringMatching(/not queryable/) } });
    expect(watched.proxy.statements).not.toContain('commit');
  });
});
