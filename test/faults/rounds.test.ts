import { afterAll, beforeAll, expect, test } from 'vitest';
import { DataError, type UnitOfWork } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { rejectionOf } from '../database/reported-error.ts';
import type { Fault } from '../../packages/migrator/test/kit/proxy/fault.ts';
import { ProxiedDatabase } from './proxied-database.ts';

const rounds = Number(process.env['FAULTS'] ?? 20);

let db: TestDatabase;
let proxied: ProxiedDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

const name = 'struck';
const work = async (uow: UnitOfWork): Promise<void> => {
  anExperiment(uow.em, { name });
  await uow.flush();
  await uow.em.execute('select 1');
};
/** A fault at a statement, and the state that its unit of work must not leave. */
const at = (statement: RegExp, fault: Fault) => async (): Promise<unknown> => {
  proxied.proxy.failAt(statement, fault);
  return rejectionOf(proxied.database.transact(work));
};
const during = (strike: () => unknown) => async (): Promise<unknown> => {
  const failing = rejectionOf(
    proxied.database.transact(async (uow) => {
      await work(uow);
      await uow.em.execute('select pg_sleep(60)');
    }),
  );
  await proxied.waitUntilRunning(/pg_sleep/);
  await strike();
  return failing;
};

const faults: Readonly<Record<string, () => Promise<unknown>>> = {
  'killed under a statement': during(() => proxied.kill()),
  'cut under a statement': during(() => proxied.proxy.failNow('cut')),
  'reset under a statement': during(() => proxied.proxy.failNow('reset')),
  'silent under a statement': during(() => proxied.proxy.failNow('silent')),
  'half-open under a statement': during(() => proxied.proxy.failNow('half-open')),
  'cut at begin': at(/^begin/, 'cut'),
  'reset at begin': at(/^begin/, 'reset'),
  'silent at begin': at(/^begin/, 'silent'),
  'refused at begin': at(/^begin/, 'error'),
  'cut at insert': at(/^insert/, 'cut'),
  'cut after insert': at(/^insert/, 'cut after sending'),
  'half-open at insert': at(/^insert/, 'half-open'),
  'cut at commit': at(/^commit/, 'cut'),
  'silent at commit': at(/^commit/, 'silent'),
  'refused at commit': at(/^commit/, { error: '40001' }),
  'killed while idle': async () => {
    await proxied.kill();
    // The pool detects it, if the proxy forwarded it in time.
    return proxied.database
      .transact(({ em }) => em.execute('select 1'))
      .then(
        () => 'served',
        (error: unknown) => error,
      );
  },
  'killed between two statements': () =>
    rejectionOf(
      proxied.database.transact(async (uow) => {
        await work(uow);
        await proxied.kill();
        await Promise.withResolvers<never>().promise;
      }),
    ),
  'no connection to be had': async () => {
    await proxied.kill();
    proxied.proxy.accepting = false;
    const failure = await rejectionOf(proxied.database.transact(work));
    proxied.proxy.accepting = true;
    return failure;
  },
  'given up by its caller': async () => {
    const caller = new AbortController();
    const failing = rejectionOf(
      proxied.database.transact(({ em }) => em.execute('select pg_sleep(60)'), { signal: caller.signal }),
    );
    await proxied.waitUntilRunning(/pg_sleep/);
    caller.abort(new Error('given up'));
    return failing;
  },
};

test(`a pool of two connections recovers after each of ${rounds} faults`, async () => {
  proxied = await ProxiedDatabase.open(db, {
    pool: { max: 2, acquireTimeout: 1_000 },
    // Long enough to observe a running statement.
    timeouts: { answer: 1_000 },
  });
  const kinds = Object.entries(faults);
  const met = new Map<string, number>();

  for (let round = 0; round < rounds; round++) {
    const [kind, strike] = kinds[round % kinds.length] ?? [];
    if (kind === undefined || !strike) throw new Error('no fault');

    const failure = await strike();

    const told = failure instanceof DataError ? failure.code : String(failure);
    expect(`${kind}: ${told}`).toMatch(
      /: (?:connection_lost|connection_failed|commit_unknown|unavailable|contention|served|Error: given up)$/,
    );
    met.set(`${kind}: ${told}`, (met.get(`${kind}: ${told}`) ?? 0) + 1);
    // Connections that only the proxy holds are not ours.
    if (/silent|half-open/.test(kind)) proxied.proxy.failNow('cut');
    proxied.proxy.reset();
    await proxied.expectRecovered();
  }

  if (rounds > kinds.length * 2) console.log(Object.fromEntries(met));
  await proxied.close();
  expect(await db.orm.em.fork().execute('select 1 from experiments where name = ?', [name])).toEqual([]);
}, 600_000);
