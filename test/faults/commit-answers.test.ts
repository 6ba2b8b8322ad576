import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CommitUnknownError, ContentionError, DataError, openDatabase } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { rejectionOf } from '../database/reported-error.ts';
import type { Fault } from '../../packages/migrator/test/kit/proxy/fault.ts';
import { ProxiedDatabase, durationOf } from './proxied-database.ts';

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
  let proxied: ProxiedDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.orm.em.execute(`
      create table slow (seconds float);
      create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(new.seconds); return new; end';
      create constraint trigger linger after insert on slow deferrable initially deferred
        for each row execute function linger()`);
  });
  beforeEach(async () => void (proxied = await ProxiedDatabase.open(db)));
  afterEach(() => proxied.close());
  afterAll(() => db.drop());

  const stored = async (name: string): Promise<number> =>
    (await db.orm.em.fork().execute('select 1 from experiments where name = ?', [name])).length;

  /** Returns the outcome of a unit of work with many retries under one fault, and how often its work ran. */
  async function outcome(
    at: RegExp,
    fault: Fault,
    name: string,
  ): Promise<{ failure: unknown; runs: number }> {
    let runs = 0;
    proxied.proxy.failAt(at, fault);
    const failure = await proxied.database
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
    expect(proxied.proxy.armed).toBe(0);
    return { failure, runs };
  }

  test.each(
    ['FATAL', 'PANIC'].flatMap((severity) =>
      codes.flatMap((answer) =>
        [false, true].map((acceptsStatements) => ({ answer, severity, acceptsStatements })),
      ),
    ),
  )(
    '$severity $answer (accepts statements: $acceptsStatements) leaves the outcome unknown',
    async (fault) => {
      const name = Object.values(fault).join(' ');

      const { failure, runs } = await outcome(/^commit$/, fault, name);

      expect(failure).toBeInstanceOf(CommitUnknownError);
      expect(failure).toMatchObject({ cause: { code: fault.answer } });
      expect(runs).toBe(1);
      expect(await stored(name)).toBe(2);
      await proxied.expectRecovered();
    },
  );

  test.each(codes.filter((code) => code !== '08P01'))('ERROR %s is a refusal', async (error) => {
    const { failure, runs } = await outcome(/^commit$/, { error }, `ERROR ${error}`);

    const isRetried = error === '40001' || error === '40P01';
    expect(failure instanceof DataError).toBe(!isRetried);
    expect(failure).not.toBeInstanceOf(CommitUnknownError);
    expect(runs).toBe(isRetried ? 2 : 1);
    expect(await stored(`ERROR ${error}`)).toBe(isRetried ? 2 : 0);
    await proxied.expectRecovered();
  });

  test('ERROR 08P01 without a routine is from a pooler, and leaves the outcome unknown', async () => {
    const { failure } = await outcome(/^commit$/, { answer: '08P01', severity: 'ERROR' }, 'by a pooler');

    expect(failure).toBeInstanceOf(CommitUnknownError);
    expect(await stored('by a pooler')).toBe(2);
  });

  test('a severity in another language is a refusal when the server accepts statements', async () => {
    const refused = await outcome(
      /^commit$/,
      { answer: '23505', severity: 'FEHLER', acceptsStatements: true },
      'in German',
    );
    const unknown = await outcome(/^commit$/, { answer: '57P01', severity: 'ВАЖНО' }, 'in Russian');

    expect(refused.failure).toMatchObject({ code: 'duplicate' });
    expect(unknown.failure).toBeInstanceOf(CommitUnknownError);
    await proxied.expectRecovered();
  });

  test.each([/^begin/, /^insert/, /^savepoint/, /^release/])(
    'is not awaited when FATAL comes at %o: nothing is written',
    async (at) => {
      const name = `FATAL at ${at.source}`;

      const { failure, runs } = await outcome(at, { answer: '57P01', severity: 'FATAL' }, name);

      expect(failure).toMatchObject({ code: 'connection_lost' });
      expect(runs).toBe(1);
      expect(await stored(name)).toBe(0);
      await proxied.expectRecovered();
    },
  );

  test('FATAL 40001 before the commit is retried', async () => {
    const { failure, runs } = await outcome(/^insert/, { answer: '40001', severity: 'FATAL' }, 'run again');

    expect(failure).toBeNull();
    expect(runs).toBe(2);
    expect(await stored('run again')).toBe(2);
  });

  test('FATAL leaves nothing unknown in a read-only transaction', async () => {
    proxied.proxy.failAt(/^commit$/, { answer: '40001', severity: 'FATAL' });

    const failure = await rejectionOf(
      proxied.database.read(({ experiments }) => experiments.scrollSummaries(), { snapshot: true }),
    );

    expect(failure).toBeInstanceOf(ContentionError);
    await proxied.expectRecovered();
  });

  /** Starts a unit of work whose commit takes `seconds`, and waits until the commit runs. */
  async function committing(
    name: string,
    seconds: number,
    signal?: AbortSignal,
  ): Promise<Promise<unknown>[]> {
    const running = proxied.database.transact(
      async ({ em }) => {
        anExperiment(em, { name });
        await em.flush();
        await em.execute('insert into slow values (?)', [seconds]);
        return 'committed';
      },
      { signal },
    );
    running.catch(() => {});
    await proxied.waitUntilRunning(/^commit$/);
    return [running];
  }

  test.each(['signal', 'close'] as const)(
    'that is too late for an interruption by %s leaves the outcome unknown, and the commit is not cancelled',
    async (by) => {
      const caller = new AbortController();
      const [running = Promise.resolve()] = await committing(`late for ${by}`, 4, caller.signal);
      const failing = rejectionOf(running);

      const took = await durationOf(async () => {
        if (by === 'signal') caller.abort(new Error('enough'));
        else await proxied.database.close({ timeout: 100 });
        await failing;
      });

      expect(await failing).toBeInstanceOf(CommitUnknownError);
      expect(took).toBeLessThan(3_000);
      await expect.poll(() => stored(`late for ${by}`), { timeout: 15_000 }).toBe(1);
    },
  );

  test('that arrives within a second after an interruption counts', async () => {
    const caller = new AbortController();
    const [running] = await committing('in time', 0.4, caller.signal);

    caller.abort(new Error('enough'));

    expect(await running).toBe('committed');
    expect(await stored('in time')).toBe(1);
    await proxied.expectRecovered();
  });

  test('counts for a signal with a timeout', async () => {
    const [running = Promise.resolve()] = await committing('timed out', 4, AbortSignal.timeout(1_000));

    expect(await rejectionOf(running)).toBeInstanceOf(CommitUnknownError);
    await expect.poll(() => stored('timed out'), { timeout: 15_000 }).toBe(1);
  });

  test('that does not arrive within the answer timeout leaves the outcome unknown', async () => {
    await using impatient = await openDatabase({ url: proxied.proxy.url(), timeouts: { answer: 500 } });

    const failure = await rejectionOf(
      impatient.transact(async ({ em }) => {
        anExperiment(em, { name: 'answered late' });
        await em.execute('insert into slow values (2)');
      }),
    );

    expect(failure).toBeInstanceOf(CommitUnknownError);
    await expect.poll(() => stored('answered late'), { timeout: 15_000 }).toBe(1);
  });

  test.each<Fault>(['cut', 'cut after sending', { error: '40001' }, { answer: '57P01', severity: 'FATAL' }])(
    'stays valid when the position can not be read: %o',
    async (fault) => {
      proxied.proxy.failAt(/pg_current_wal_insert_lsn/, fault);

      const given = await proxied.database.transact(
        async ({ em }) => anExperiment(em, { name: 'placed' }).name,
        {
          position: true,
          retries: 3,
        },
      );

      expect(given).toEqual({ result: 'placed', position: null });
      expect(proxied.proxy.armed).toBe(0);
      await setTimeout(0);
      await proxied.expectRecovered();
    },
  );
});
