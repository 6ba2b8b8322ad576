import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ConnectionLostError,
  ContentionError,
  openDatabase,
  ReadOnlyError,
  SettingsError,
  UnavailableError,
  UnitOfWork,
  type Database,
  type ReadingUnitOfWork,
  type TransactionTimeouts,
} from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';

let db: TestDatabase;
let proxy: WireProxy;
let database: Database;
const open = (timeouts: TransactionTimeouts = {}): Promise<Database> =>
  openDatabase({ url: proxy.url(), pool: { max: 1, acquireTimeout: 2_000 }, timeouts });

beforeAll(async () => void (db = await TestDatabase.create()));
beforeEach(async () => {
  proxy = await WireProxy.start(db.target);
  database = await open();
  proxy.reset();
});
afterEach(async () => {
  await database.close();
  await proxy.close();
});
afterAll(() => db.drop());

async function setting({ em }: Pick<UnitOfWork, 'em'>, name: string): Promise<string | null> {
  const [row] = await em.execute<{ value: string | null }[]>('select current_setting(?, true) as value', [
    name,
  ]);
  return row?.value ?? null;
}
/** Runs a statement on the idle connection of the pool. */
const left = (name: string): Promise<string | null> => setting({ em: database.orm.em.fork() }, name);

describe('settings of a unit of work', () => {
  test('apply from its first statement until its end', async () => {
    const settings = { 'app.user': "O'Brien\\; set role x", 'app.tenant': '7', work_mem: '1234kB' };

    await database.transact(
      async (uow) => {
        expect(await setting(uow, 'app.user')).toBe(settings['app.user']);
        expect(await setting(uow, 'app.tenant')).toBe('7');
        expect(await setting(uow, 'work_mem')).toBe('1234kB');
      },
      { settings },
    );

    // A custom setting that was set once stays empty.
    expect(await left('app.user')).toBe('');
    expect(await left('work_mem')).not.toBe('1234kB');
  });

  test('are sent as parameters in one statement', async () => {
    await database.transact(async ({ em }) => em.execute('select 1'), {
      settings: { 'app.user': 'canary' },
      timeouts: { lock: 5 },
    });

    expect(proxy.statements).toEqual([
      'begin',
      'select set_config($1, $2, true), set_config($3, $4, true)',
      'select 1',
      'commit',
    ]);
  });

  test('are reset after failed work, and after each attempt', async () => {
    let attempts = 0;

    const failing = database.transact(
      async (uow) => {
        attempts++;
        expect(await setting(uow, 'app.user')).toBe('one');
        await uow.em.execute(`select set_config('app.user', 'other', true)`);
        await uow.em.execute(`do $$ begin raise exception using errcode = '40001'; end $$`);
      },
      { settings: { 'app.user': 'one' }, retries: 2 },
    );

    await expect(failing).rejects.toBeInstanceOf(ContentionError);
    expect(attempts).toBe(3);
    expect(await left('app.user')).toBe('');
  });

  test('are restored by a rollback to a savepoint', async () => {
    await database.transact(
      async (uow) => {
        const inner = uow.transact(async (within) => {
          await within.em.execute(`select set_config('app.user', 'inner', true)`);
          expect(await setting(within, 'app.user')).toBe('inner');
          throw new Error('taken back');
        });
        await expect(inner).rejects.toThrow('taken back');
        expect(await setting(uow, 'app.user')).toBe('outer');
      },
      { settings: { 'app.user': 'outer' } },
    );
  });

  test('apply to a read, which writes nothing', async () => {
    const settings = { 'app.user': 'reader' };

    await database.read(async (uow) => expect(await setting(whole(uow), 'app.user')).toBe('reader'), {
      settings,
    });
    const writing = database.read(
      async (uow) => {
        anExperiment(whole(uow).em);
        await whole(uow).flush();
      },
      { settings },
    );

    await expect(writing).rejects.toBeInstanceOf(ReadOnlyError);
    expect(proxy.statements[0]).toBe('start transaction isolation level read committed read only');
    expect(await left('app.user')).toBe('');
  });

  test.each([
    [{ 'app user': 'x' }, '"app user"'],
    [
      { "app.user', 'x', false); --": 'x' },
      'invalid name "app.user\', \'x\', false); --" in settings; expected a name such as "app.user"',
    ],
    [{ 'app.': 'x' }, '"app."'],
    [{ 'app.user': '' }, 'settings["app.user"] is empty'],
    [{ 'app.user': undefined }, 'settings["app.user"] is undefined'],
    [{ 'app.user': null }, 'settings["app.user"] is null'],
    [{ 'app.user': 7 }, 'settings["app.user"] is number'],
    [{ Statement_Timeout: '5' }, 'timeouts.statement'],
  ])('that are invalid are refused before anything is sent: %o', async (settings, says) => {
    for (const method of ['transact', 'read'] as const) {
      // @ts-expect-error -- plain JavaScript may give anything
      const refused = database[method](async () => {}, { settings });

      await expect(refused).rejects.toBeInstanceOf(SettingsError);
      await expect(refused).rejects.toThrow(says);
    }
    expect(proxy.statements).toEqual([]);
  });

  test('that the server does not know fail the unit of work, and its connection is released', async () => {
    const refused = database.transact(async () => {}, { settings: { no_such_setting: 'x' } });

    await expect(refused).rejects.toMatchObject({ code: 'wrong_statement' });
    await database.transact(async ({ em }) => em.execute('select 1'));
  });
});

describe('timeouts', () => {
  test('of the database are sent with each begin, and end with the transaction', async () => {
    await using strict = await open({ statement: 5_000, lock: 4_000, idleInTransaction: 3_000 });
    proxy.reset();

    await strict.transact(async (uow) => {
      expect(await setting(uow, 'statement_timeout')).toBe('5s');
      expect(await setting(uow, 'lock_timeout')).toBe('4s');
      expect(await setting(uow, 'idle_in_transaction_session_timeout')).toBe('3s');
    });
    await strict.read(async ({ experiments }) => experiments.find('exp_missing'));

    const local = ['statement', 'lock', 'idle_in_transaction_session'].map(
      (name, at) => `set local ${name}_timeout = ${5_000 - at * 1_000}`,
    );
    expect(proxy.statements.slice(0, 4)).toEqual(['begin', ...local]);
    expect(proxy.statements).toContain('start transaction isolation level read committed read only');
    expect(await setting({ em: strict.orm.em.fork() }, 'statement_timeout')).toBe('0');
  });

  test('of a unit of work override those of the database', async () => {
    await using strict = await open({ statement: 5_000, lock: 4_000 });

    await strict.transact(
      async (uow) => {
        expect(await setting(uow, 'statement_timeout')).toBe('0');
        expect(await setting(uow, 'lock_timeout')).toBe('4s');
      },
      { timeouts: { statement: 0 } },
    );
  });

  test('cancel a statement that takes too long', async () => {
    const slow = database.transact((uow) => sleep(uow, 30), { timeouts: { statement: 50 } });

    await expect(slow).rejects.toBeInstanceOf(UnavailableError);
    await database.transact((uow) => sleep(uow, 0.1));
  });

  test('end the wait for a lock of another session', async () => {
    const id = await db.transact(async ({ em }) => anExperiment(em).id);
    const lock = ({ em }: UnitOfWork) =>
      em.execute('select 1 from experiments where id = ? for update', [id]);

    await db.transact(async (holder) => {
      await lock(holder);
      await expect(database.transact(lock, { timeouts: { lock: 50 } })).rejects.toBeInstanceOf(
        ContentionError,
      );
    });
  });

  test('end an idle transaction', async () => {
    const idle = database.transact(
      async (uow) => {
        await sleep(uow, 0);
        await expect.poll(() => proxy.connections).toBe(0);
        await sleep(uow, 0);
      },
      { timeouts: { idleInTransaction: 50 } },
    );

    await expect(idle).rejects.toBeInstanceOf(ConnectionLostError);
    await database.transact((uow) => sleep(uow, 0));
  });

  test.each([
    [{ statement: -1 }, /timeouts.statement is "?-1/],
    [{ lock: 0.5 }, /timeouts.lock is "?0.5/],
    [{ idleInTransaction: NaN }, /timeouts.idleInTransaction is "?NaN/],
    [{ statement: '5s' }, /timeouts.statement is ("5s"|a string)/],
    [{ statement: 2 ** 31 }, /timeouts.statement is "?2147483648/],
    [{ query: 5 }, /unknown setting "timeouts.query"; expected one of: statement, lock, idleInTransaction/],
  ])('that are invalid are refused: %o', async (timeouts, says) => {
    // @ts-expect-error -- plain JavaScript may give anything
    await expect(open(timeouts)).rejects.toThrow(says);
    // @ts-expect-error -- likewise
    await expect(database.transact(async () => {}, { timeouts })).rejects.toThrow(says);
    expect(proxy.statements).toEqual([]);
  });
});

/** Returns all members, including those that its type hides. */
function whole(uow: ReadingUnitOfWork): UnitOfWork {
  if (!(uow instanceof UnitOfWork)) throw new Error('there is no more of it than its type tells');
  return uow;
}

function sleep({ em }: Pick<UnitOfWork, 'em'>, seconds: number): Promise<unknown> {
  return em.execute('select pg_sleep(?)', [seconds]);
}
