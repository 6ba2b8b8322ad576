import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CommitUnknownError, ContentionError, DataError, openDatabase } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { failureOf } from '../database/told.ts';
import type { Fault } from '../../packages/migrator/test/kit/proxy/fault.ts';
import { Watched, timed } from './watched.ts';

const codes = [
  '40001',
  '40P01',
  '23505',
  '57014',
  '57P01',
  '25P04',
  '53300',
  '08006',
  '08P01',
  'XX000',
  'ZZ999',
];

describe('the answer to a commit', () => {
  let db: TestDatabase;
  let watched: Watched;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.orm.em.execute(`
      create table slow (seconds float);
      create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(new.seconds); return new; end';
      create constraint trigger linger after insert on slow deferrable initially deferred
        for each row execute function linger()`);
  });
  beforeEach(async () => void (watched = await Watched.open(db)));
  afterEach(() => watched.close());
  afterAll(() => db.drop());

  const stored = async (name: string): Promise<number> =>
    (await db.orm.em.fork().execute('select 1 from experiments where name = ?', [name])).length;

  /** What a unit of work with many retries comes to when `fault` strikes `at` once, and how often its work ran. */
  async function outcome(
    at: RegExp,
    fault: Fault,
    name: string,
  ): Promise<{ failure: unknown; runs: number }> {
    let runs = 0;
    watched.proxy.failAt(at, fault);
    const failure = await watched.database
      .transact(
        async (uow) => {
          runs += 1;
          anExperiment(uow.em, { name });
          await uow.flush();
          await uow.transact(async ({ em }) => void anExperiment(em, { name }));
        },
        { retries: 3 },
      )
      .then(
        () => null,
        (error: unknown) => error,
      );
    expect(watched.proxy.armed).toBe(0);
    return { failure, runs };
  }

  test.each(
    ['FATAL', 'PANIC'].flatMap((severity) =>
      codes.flatMap((answer) => [false, true].map((goesOn) => ({ answer, severity, goesOn }))),
    ),
  )('$severity $answer (goes on: $goesOn) leaves its outcome unknown', async (fault) => {
    const name = Object.values(fault).join(' ');

    const { failure, runs } = await outcome(/^commit$/, fault, name);

    expect(failure).toBeInstanceOf(CommitUnknownError);
    expect(failure).toMatchObject({ cause: { code: fault.answer } });
    expect(runs).toBe(1);
    expect(await stored(name)).toBe(2);
    await watched.isWhole();
  });

  test.each(codes.filter((code) => code !== '08P01'))('ERROR %s is a refusal', async (error) => {
    const { failure, runs } = await outcome(/^commit$/, { error }, `ERROR ${error}`);

    const isRetried = error === '40001' || error === '40P01';
    expect(failure instanceof DataError).toBe(!isRetried);
    expect(failure).not.toBeInstanceOf(CommitUnknownError);
    expect(runs).toBe(isRetried ? 2 : 1);
    expect(await stored(`ERROR ${error}`)).toBe(isRetried ? 2 : 0);
    await watched.isWhole();
  });

  test("ERROR 08P01 without a routine is a pooler's, and leaves its outcome unknown", async () => {
    const { failure } = await outcome(/^commit$/, { answer: '08P01', severity: 'ERROR' }, 'by a pooler');

    expect(failure).toBeInstanceOf(CommitUnknownError);
    expect(await stored('by a pooler')).toBe(2);
  });

  test('a severity in another language is a refusal when the server goes on', async () => {
    const refused = await outcome(
      /^commit$/,
      { answer: '23505', severity: 'FEHLER', goesOn: true },
      'in German',
    );
    const unknown = await outcome(/^commit$/, { answer: '57P01', severity: 'ВАЖНО' }, 'in Russian');

    expect(refused.failure).toMatchObject({ code: 'duplicate' });
    expect(unknown.failure).toBeInstanceOf(CommitUnknownError);
    await watched.isWhole();
  });

  test.each([/^begin/, /^insert/, /^savepoint/, /^release/])(
    'is not awaited when FATAL comes at %o: nothing is written',
    async (at) => {
      const name = `FATAL at ${at.source}`;

      const { failure, runs } = await outcome(at, { answer: '57P01', severity: 'FATAL' }, name);

      expect(failure).toMatchObject({ code: 'connection_lost' });
      expect(runs).toBe(1);
      expect(await stored(name)).toBe(0);
      await watched.isWhole();
    },
  );

  test('FATAL 40001 before the commit is run again', async () => {
    const { failure, runs } = await outcome(/^insert/, { answer: '40001', severity: 'FATAL' }, 'run again');

    expect(failure).toBeNull();
    expect(runs).toBe(2);
    expect(await stored('run again')).toBe(2);
  });

  test('FATAL leaves nothing unknown where the transaction only read', async () => {
    watched.proxy.failAt(/^commit$/, { answer: '40001', severity: 'FATAL' });

    const failure = await failureOf(
      watched.database.read(({ experiments }) => experiments.scrollSummaries(), { snapshot: true }),
    );

    expect(failure).toBeInstanceOf(ContentionError);
    await watched.isWhole();
  });

  /** Starts a unit of work whose commit takes so many seconds, and waits for the commit to run. */
  async function committing(
    name: string,
    seconds: number,
    signal?: AbortSignal,
  ): Promise<Promise<unknown>[]> {
    const running = watched.database.transact(
      async ({ em }) => {
        anExperiment(em, { name });
        await em.flush();
        await em.execute('insert into slow values (?)', [seconds]);
        return 'committed';
      },
      { signal },
    );
    running.catch(() => {});
    await watched.runs(/^commit$/);
    return [running];
  }

  test.each(['signal', 'close'] as const)(
    'that comes too late for an interruption by %s leaves its outcome unknown, and is not cancelled',
    async (by) => {
      const caller = new AbortController();
      const [running = Promise.resolve()] = await committing(`late for ${by}`, 4, caller.signal);
      const failing = failureOf(running);

      const took = await timed(async () => {
        if (by === 'signal') caller.abort(new Error('enough'));
        else await watched.database.close({ timeout: 100 });
        await failing;
      });

      expect(await failing).toBeInstanceOf(CommitUnknownError);
      expect(took).toBeLessThan(3_000);
      await expect.poll(() => stored(`late for ${by}`), { timeout: 15_000 }).toBe(1);
    },
  );

  test('that comes within a second of an interruption counts', async () => {
    const caller = new AbortController();
    const [running] = await committing('in time', 0.4, caller.signal);

    caller.abort(new Error('enough'));

    expect(await running).toBe('committed');
    expect(await stored('in time')).toBe(1);
    await watched.isWhole();
  });

  test('counts for a signal that times out on its own', async () => {
    const [running = Promise.resolve()] = await committing('timed out', 4, AbortSignal.timeout(1_000));

    expect(await failureOf(running)).toBeInstanceOf(CommitUnknownError);
    await expect.poll(() => stored('timed out'), { timeout: 15_000 }).toBe(1);
  });

  test('that does not come within the answer timeout leaves its outcome unknown', async () => {
    await using impatient = await openDatabase({ url: watched.proxy.url(), timeouts: { answer: 500 } });

    const failure = await failureOf(
      impatient.transact(async ({ em }) => {
        anExperiment(em, { name: 'answered late' });
        await em.execute('insert into slow values (2)');
      }),
    );

    expect(failure).toBeInstanceOf(CommitUnknownError);
    await expect.poll(() => stored('answered late'), { timeout: 15_000 }).toBe(1);
  });

  test.each<Fault>(['cut', 'cut after sending', { error: '40001' }, { answer: '57P01', severity: 'FATAL' }])(
    'is not questioned when the position after it is lost: %o',
    async (fault) => {
      watched.proxy.failAt(/pg_current_wal_insert_lsn/, fault);

      const given = await watched.database.transact(
        async ({ em }) => anExperiment(em, { name: 'placed' }).name,
        {
          position: true,
          retries: 3,
        },
      );

      expect(given).toEqual({ result: 'placed', position: null });
      expect(watched.proxy.armed).toBe(0);
      await setTimeout(0);
      await watched.isWhole();
    },
  );
});
