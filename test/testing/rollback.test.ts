import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { UnitOfWork } from '../../src/index.ts';
import type { SynthData } from '../../src/entities.ts';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { ConnectionLostError, InvalidValueError, RefusedError, StatementError } from '../../src/errors.ts';
import { TestDatabase, aSynth, anExperiment } from '../../src/testing/index.ts';
import { overlooked } from '../database/units/overlooked.ts';
import { scratch } from '../embedded/scratch.ts';

const experiment = { name: 'Short checkout', hypothesis: 'Fewer steps sell more' };
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- What a test may get wrong, past the types.
const [nothing, outOfShape] = [null, []] as unknown as [string, SynthData];
const isRefused = /a unit of work begins and ends its transaction/;
const isEnded = /ended the transaction of this unit of work by/;

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());
afterEach(() => db.orm.em.execute('delete from experiments'));

async function rows(): Promise<number> {
  const [found] = await db.orm.em.execute<{ n: number }[]>('select count(*)::int as n from experiments');
  return found?.n ?? -1;
}

const insert = (uow: UnitOfWork): Promise<unknown> =>
  uow.em.execute(`insert into experiments (id, name, hypothesis) values (gen_random_uuid()::text, 'a', 'b')`);

const refused = (uow: UnitOfWork): Promise<unknown> =>
  expect(uow.em.execute('select 1 / 0')).rejects.toThrow();

const run =
  (...statements: string[]) =>
  async ({ em }: UnitOfWork): Promise<void> => {
    for (const statement of statements) await em.execute(statement);
  };

const runOverlooked =
  (statements: string) =>
  (uow: UnitOfWork): Promise<unknown> =>
    uow.em.execute(overlooked(uow, statements));

describe('rollback', () => {
  test('rolls back what the work wrote', async () => {
    await db.rollback(async (uow) => {
      uow.experiments.add(experiment);
      await uow.flush();
      expect(await uow.em.execute('select name from experiments')).toEqual([{ name: 'Short checkout' }]);
    });

    expect(await rows()).toBe(0);
  });

  test('rolls back when the work throws, and throws the same', async () => {
    const error = new Error('an assertion');

    const failing = db.rollback(async (uow) => {
      await insert(uow);
      throw error;
    });

    await expect(failing).rejects.toBe(error);
    expect(await rows()).toBe(0);
  });

  test('takes the options of transact', async () => {
    await db.rollback(
      async ({ em }) => {
        expect(await em.execute('show transaction_isolation')).toEqual([
          { transaction_isolation: 'serializable' },
        ]);
        expect(await em.execute(`select current_setting('app.user') as name`)).toEqual([{ name: 'me' }]);
      },
      { isolation: 'serializable', settings: { 'app.user': 'me' } },
    );
  });

  test('accepts work that only reads', async () => {
    await db.rollback(async (uow) => {
      const { id } = anExperiment(uow.em);
      await uow.flush();
      expect(await db.read((reading) => reading.experiments.find(id))).toBeNull();
      expect(await uow.experiments.find(id)).not.toBeNull();
    });
  });

  test('rejects when the connection is lost', async () => {
    const lost = db.rollback(async ({ em }) => {
      await em.execute('select pg_terminate_backend(pg_backend_pid())').catch(() => {});
    });

    await expect(lost).rejects.toThrow(ConnectionLostError);
  });
});

describe('rollback rejects where a commit would', () => {
  test('with a staged row that lacks a value', async () => {
    const work = db.rollback(async (uow) => {
      anExperiment(uow.em, { name: nothing });
    });

    await expect(work).rejects.toThrow(InvalidValueError);
  });

  test('with a staged row that PostgreSQL refuses', async () => {
    const work = db.rollback(async (uow) => void anExperiment(uow.em, { name: ' ' }));

    await expect(work).rejects.toThrow(InvalidValueError);
    await expect(work).rejects.toMatchObject({ table: 'experiments' });
  });

  test('with a staged document that does not match its shape', async () => {
    const work = db.rollback(async (uow) => {
      aSynth(uow.em, { data: outOfShape });
    });

    await expect(work).rejects.toThrow(/^synths\.data is invalid/);
  });

  test('with a violated deferred constraint', async () => {
    const work = db.rollback(async ({ em }) => {
      await em.execute('create table parents (id int primary key)');
      await em.execute('create table children (id int references parents deferrable initially deferred)');
      await em.execute('insert into children values (1)');
    });

    await expect(work).rejects.toThrow(RefusedError);
    await expect(work).rejects.toMatchObject({ constraint: 'children_id_fkey' });
  });

  test('unless the work caught the error of its last flush', async () => {
    await db.rollback(async (uow) => {
      const synth = aSynth(uow.em);
      await uow.flush();
      synth.data = outOfShape;
      await expect(uow.flush()).rejects.toThrow(/^synths\.data is invalid/);
    });
  });

  test('unless the work caught the error of a statement', async () => {
    const work = db.rollback(async (uow) => {
      uow.experiments.add(experiment);
      await refused(uow);
    });

    await expect(work).resolves.toBeUndefined();
  });
});

describe('rollback rejects when the work tries to end its transaction', () => {
  test.for<[how: string, end: (uow: UnitOfWork) => Promise<unknown>]>([
    ['by commit', run('commit')],
    ['by end', run('end')],
    ['by commit behind a comment', run('/* the end */ -- of it\n commit work')],
    ['by commit among other statements', run('select 1; commit; select 2')],
    ['by commit, with another begun after it', run('commit', 'begin')],
    ['by commit, with another begun in the same message', run('commit; begin')],
    ['by commit and chain', run('commit and chain')],
    ['by commit, with another that has failed', (uow) => run('commit; begin')(uow).then(() => refused(uow))],
    ['by commit, with a savepoint in another', run('commit; begin; savepoint a')],
    ['by commit, with a procedure that commits', run('commit', 'do $$ begin commit; end $$')],
    [
      'by commit among other statements, with another that has failed',
      run('select 1; commit; begin; select 1 / 0'),
    ],
    ['by rollback', run('rollback')],
    ['by rollback among other statements', run('select 1; rollback and chain')],
    ['by rollback and chain', run('rollback and chain')],
    ['by abort', run('abort')],
    ['by commit of the entity manager', ({ em }) => em.commit()],
    ['by rollback of the entity manager', ({ em }) => em.rollback()],
    ['by commit and begin of the entity manager', ({ em }) => em.commit().then(() => em.begin())],
    [
      'by commit of another handle',
      async ({ em }) => {
        await em.fork({ keepTransactionContext: true }).commit();
      },
    ],
  ])('%s', async ([, end]) => {
    const work = db.rollback(async (uow) => {
      await insert(uow);
      await end(uow);
      uow.experiments.add(experiment);
    });

    await expect(work).rejects.toThrow(StatementError);
    await expect(work).rejects.toThrow(isRefused);
    expect(await rows()).toBe(0);
  });

  test('by prepare transaction', async () => {
    const directory = await scratch();
    const { url } = await EmbeddedPostgres.start({
      directory,
      settings: { max_prepared_transactions: '1', fsync: 'off' },
    });
    const other = await TestDatabase.open(url, async () => {});

    const work = other.rollback(run('create table t ()', `prepare transaction 'p'`));

    await expect(work).rejects.toThrow(isRefused);
    await other.close();
  });
});

describe('rollback rejects when its transaction was ended', () => {
  test.for<[how: string, left: number, end: (uow: UnitOfWork) => Promise<unknown>]>([
    ['by commit', 1, runOverlooked('/* the end */ commit')],
    ['by commit, with another begun in the same message', 1, runOverlooked('commit; begin')],
    ['by commit, with another that has failed', 1, runOverlooked('commit; begin; select 1 / 0')],
    ['by commit, unnoticed', 1, (uow) => runOverlooked('commit')(uow).catch(() => {})],
    [
      'by commit, with another that has failed, unnoticed',
      1,
      (uow) => runOverlooked('commit; begin; select 1 / 0')(uow).catch(() => {}),
    ],
    ['by rollback', 0, runOverlooked('rollback')],
  ])('%s', async ([, left, end]) => {
    const work = db.rollback(async (uow) => {
      await insert(uow);
      await end(uow);
      uow.experiments.add(experiment);
    });

    await expect(work).rejects.toThrow(StatementError);
    await expect(work).rejects.toThrow(isEnded);
    // What was staged for the end is not written on top.
    expect(await rows()).toBe(left);
  });

  test('and the work threw, with its error', async () => {
    const error = new Error('an assertion');

    const work = db.rollback(async (uow) => {
      await runOverlooked('commit')(uow).catch(() => {});
      throw error;
    });

    await expect(work).rejects.toBe(error);
  });

  test('and returns the connection to the pool in a clean state', async () => {
    const ended = db.rollback(async (uow) => void (await runOverlooked('commit; begin')(uow)));
    await expect(ended).rejects.toThrow(isEnded);

    await db.rollback(async (uow) => void (await insert(uow)));

    expect(await rows()).toBe(0);
  });
});

describe('rollback allows', () => {
  test.for<[what: string, work: (uow: UnitOfWork) => Promise<unknown>]>([
    ['a savepoint that is left open', ({ em }) => em.execute('savepoint a')],
    ['a savepoint that is rolled back to', ({ em }) => em.execute('savepoint a; rollback to savepoint a')],
    ['a failed statement in it', (uow) => uow.em.execute('savepoint a').then(() => refused(uow))],
    ['a failed statement as the last', refused],
    ['begin, which changes nothing', ({ em }) => em.execute('begin')],
    [
      'a commit that was refused, and whose error was caught',
      (uow) => expect(run('select 1; commit')(uow)).rejects.toThrow(isRefused),
    ],
    [
      'commit in a procedure, which PostgreSQL refuses',
      ({ em }) =>
        expect(em.execute('do $$ begin commit; end $$')).rejects.toMatchObject({ cause: { code: '2D000' } }),
    ],
    ['a unit of work within', (uow) => uow.transact(async (inner) => void inner.experiments.add(experiment))],
    [
      'a unit of work within that throws',
      (uow) =>
        expect(
          uow.transact(async (inner) => {
            await insert(inner);
            throw new Error('not this');
          }),
        ).rejects.toThrow('not this'),
    ],
  ])('%s', async ([, work]) => {
    await db.rollback(async (uow) => {
      await insert(uow);
      await work(uow);
    });

    expect(await rows()).toBe(0);
  });
});

describe('calls that the work of rollback did not await', () => {
  test('are awaited and rolled back when they are running', async () => {
    let late: Promise<unknown> | undefined;

    await db.rollback(async (uow) => {
      late = Promise.all([uow.em.execute('select pg_sleep(0.1)'), insert(uow)]);
    });

    await late;
    expect(await rows()).toBe(0);
  });

  test.for<[what: string, late: (uow: UnitOfWork) => Promise<unknown>]>([
    ['a statement', insert],
    [
      'a flush',
      (uow) => {
        uow.experiments.add(experiment);
        return uow.flush();
      },
    ],
    ['a unit of work within', (uow) => uow.transact(insert)],
    [
      'a statement of the query builder',
      ({ em }) => em.getKysely<Record<'experiments', { id: string }>>().deleteFrom('experiments').execute(),
    ],
  ])('%s is refused when it comes later', async ([, late]) => {
    let outcome: Promise<unknown> | undefined;

    await db.rollback(async (uow) => {
      outcome = setTimeout(50)
        .then(() => late(uow))
        .catch((error: unknown) => error);
    });

    expect(await outcome).toBeInstanceOf(Error);
    expect(await rows()).toBe(0);
  });
});

describe('transact of the database within rollback', () => {
  test('is refused, since its rows would stay', async () => {
    const work = db.rollback(() => db.transact(async (uow) => void uow.experiments.add(experiment)));

    await expect(work).rejects.toThrow(StatementError);
    await expect(work).rejects.toThrow(/would commit; call `uow\.transact`/);
    expect(await rows()).toBe(0);
  });

  test('is allowed for another test at the same time', async () => {
    await Promise.all([
      db.rollback(() => setTimeout(50)),
      db.transact(async (uow) => void uow.experiments.add(experiment)),
    ]);

    expect(await rows()).toBe(1);
  });
});
