import { DriverException } from '@mikro-orm/core';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConnectionError,
  ConnectionLostError,
  ConstraintError,
  ContentionError,
  DanglingReferenceError,
  DuplicateError,
  ForbiddenError,
  InvalidValueError,
  StatementError,
  UnavailableError,
  type UnitOfWork,
} from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { barrier } from '../../concurrency/concurrently.ts';
import {
  canary,
  rejectionOf,
  expectedError,
  reportedError,
  type Kind,
} from '../../database/reported-error.ts';

type Case = readonly [
  sqlState: string,
  kind: Kind,
  statements: readonly string[],
  at?: { readonly table?: string; readonly constraint?: string },
];

/** An error that a rule in SQL would raise, or a state that no test can cause. */
const raised = (sqlState: string, kind: Kind, at: Case[3] = {}): Case => {
  const options = Object.entries({ errcode: sqlState, detail: canary, ...at });
  const using = options.map(([option, value]) => `${option} = '${value}'`).join(', ');
  return [sqlState, kind, [`do $$ begin raise exception '${canary}' using ${using}; end $$`], at];
};

const insert = (hypothesis: string): string =>
  `insert into experiments (id, name, hypothesis) values ('${canary}', '${canary}', ${hypothesis})`;

// A privilege that the owner revokes from itself. A superuser would keep it.
const denied = [
  'revoke all on experiments from current_user',
  `do $$ begin
    if (select rolsuper from pg_roles where rolname = current_user) then set local role pg_monitor; end if;
  end $$`,
];

const cases: readonly Case[] = [
  ['0A000', StatementError, [`select '${canary}' union select '' for update`]],
  ['22001', InvalidValueError, ['create temp table t (v varchar(3))', `insert into t values ('${canary}')`]],
  ['22003', InvalidValueError, [`select length('${canary}') * 1000000000`]],
  ['22007', InvalidValueError, [`select '${canary}'::timestamptz`]],
  ['22008', InvalidValueError, [`select '${canary}', '2026-13-45'::date`]],
  ['22012', InvalidValueError, [`select 1 / (length('${canary}') - ${canary.length})`]],
  ['22023', InvalidValueError, [`select '${canary}', generate_series(1, 2, 0)`]],
  ['22P02', InvalidValueError, [`select '${canary}'::int`]],
  ['22P05', InvalidValueError, [String.raw`select '{"a": "${canary}\u0000"}'::jsonb`]],
  raised('23000', ConstraintError, { table: 'experiments', constraint: 'a_rule' }),
  raised('23001', DanglingReferenceError),
  ['23502', InvalidValueError, [insert('null')], { table: 'experiments' }],
  [
    '23503',
    DanglingReferenceError,
    [`insert into interview_guide (experiment_id) values ('${canary}')`],
    { table: 'interview_guide', constraint: 'fk_interview_guide_experiment_id' },
  ],
  [
    '23505',
    DuplicateError,
    [insert(`'h'`), insert(`'h'`)],
    { table: 'experiments', constraint: 'experiments_pkey' },
  ],
  [
    '23514',
    InvalidValueError,
    [insert(`repeat('${canary}', 1000)`)],
    { table: 'experiments', constraint: 'chk_experiments_hypothesis_length' },
  ],
  [
    '23P01',
    ConstraintError,
    [
      'create temp table t (during int4range, v text, exclude using gist (during with &&))',
      `insert into t values ('[1,3]', '${canary}'), ('[2,4]', '${canary}')`,
    ],
    { table: 't', constraint: 't_during_excl' },
  ],
  ['25006', ForbiddenError, ['set transaction read only', insert(`'h'`)]],
  raised('25P03', ConnectionLostError),
  raised('40002', ContentionError),
  ['42501', ForbiddenError, [...denied, insert(`'h'`)]],
  ['42601', StatementError, [`selekt '${canary}'`]],
  ['42703', StatementError, [`select ${canary} from experiments`]],
  ['42883', StatementError, [`select ${canary}()`]],
  ['42P01', StatementError, [`select * from ${canary}`]],
  raised('44000', ConstraintError),
  raised('53100', UnavailableError),
  raised('53300', ConnectionError),
  [
    '54000',
    InvalidValueError,
    [
      'create temp table t (v text primary key)',
      `insert into t select '${canary}' || string_agg(md5(i::text), '') from generate_series(1, 1000) i`,
    ],
  ],
  ['54023', StatementError, [`select concat('${canary}'${', 1'.repeat(100)})`]],
  raised('55006', ContentionError),
  ['57014', UnavailableError, ['set local statement_timeout = 10', `select '${canary}', pg_sleep(60)`]],
  ['57P01', ConnectionLostError, [`select '${canary}', pg_terminate_backend(pg_backend_pid())`]],
  raised('57P05', ConnectionLostError),
  raised('08006', ConnectionLostError),
  raised('58030', UnavailableError),
  raised('P0001', ConstraintError),
  raised('XX001', UnavailableError),
  raised('ZZ999', StatementError),
];

function sending(statements: readonly string[]): (uow: UnitOfWork) => Promise<void> {
  return async ({ em }) => {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const statement of statements) await em.execute(statement);
  };
}

function sendingByKysely(statements: readonly string[]): (uow: UnitOfWork) => Promise<void> {
  return async ({ em }) => {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const statement of statements) await sql.raw(statement).execute(em.getKysely());
  };
}

describe('an error of PostgreSQL has no row data', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  const named = cases.map(([sqlState, kind, statements, at]) => ({ sqlState, kind, statements, at }));
  test.each(named)('$sqlState is a $kind.name', async ({ sqlState, kind, statements, at }) => {
    const byOrm = await rejectionOf(db.transact(sending(statements)));
    const byKysely = await rejectionOf(db.transact(sendingByKysely(statements)));

    expect(reportedError(byOrm)).toEqual(expectedError(kind, sqlState, at));
    expect(reportedError(byKysely)).toEqual(expectedError(kind, sqlState, at));
  });

  test('nor of later statements in the same transaction', async () => {
    const failure = await rejectionOf(
      db.transact(async ({ em }) => {
        await em.execute('select 1 / 0').catch(() => {});
        await em.execute(`select '${canary}'`);
      }),
    );

    expect(reportedError(failure)).toEqual(expectedError(StatementError, '25P02'));
  });

  const unstorable: [string, string, (uow: UnitOfWork) => Promise<unknown>][] = [
    ['22021', 'asked for', ({ synths }) => synths.count({ group: `${canary}\0` })],
    ['22021', 'as a key', ({ experiments }) => experiments.find(`${canary}\0`)],
    ['22021', 'stored', async ({ em }) => anExperiment(em, { name: `${canary}\0` })],
    [
      '22021',
      'stored in a batch',
      async ({ em }) => [anExperiment(em), anExperiment(em, { name: `${canary}\0` })],
    ],
    ['08P01', 'in a text', ({ em }) => em.execute('select concat(?)', [`${canary}\0`])],
  ];
  test.each(unstorable)('%s: U+0000, %s', async (sqlState, _, work) => {
    const failure = await rejectionOf(db.transact(work));

    expect(reportedError(failure)).toEqual(expectedError(InvalidValueError, sqlState));
  });

  test('by a flush', async () => {
    const failure = await rejectionOf(
      db.transact(async (uow) => {
        anExperiment(uow.em, { name: canary.repeat(30) });
        await uow.flush();
      }),
    );

    const at = { table: 'experiments', constraint: 'chk_experiments_name_length' };
    expect(reportedError(failure)).toEqual(expectedError(InvalidValueError, '23514', at));
  });

  test('but has the name of an object without privilege', async () => {
    const failure = await rejectionOf(
      db.transact(sending([...denied, `select '${canary}' from experiments`])),
    );

    expect(failure).toMatchObject({ message: expect.stringContaining('table "experiments"') });
  });

  test('55P03: a lock of another session', async () => {
    const { id } = await db.transact(async ({ em }) => anExperiment(em, { name: canary }));
    const lock = `select * from experiments where id = '${id}' for update nowait`;

    const failure = await rejectionOf(
      db.transact(async (one) => {
        await sending([lock])(one);
        await db.transact(sending([lock]));
      }),
    );

    expect(reportedError(failure)).toEqual(expectedError(ContentionError, '55P03'));
  });

  test('40001: a row that another transaction changed', async () => {
    const { id } = await db.transact(async ({ em }) => anExperiment(em, { name: canary }));
    const change = `update experiments set hypothesis = hypothesis || '.' where id = '${id}'`;
    const work = async (one: UnitOfWork): Promise<void> => {
      await sending(['select 1 from experiments'])(one);
      await db.transact(sending([change]));
      await sending([change])(one);
    };

    const failure = await rejectionOf(db.transact(work, { isolation: 'repeatable read' }));

    expect(reportedError(failure)).toEqual(expectedError(ContentionError, '40001'));
  });

  test('40P01: a deadlock', async () => {
    const ids = await db.transact(async ({ em }) => [anExperiment(em).id, anExperiment(em).id]);
    const locks = ids.map((id) => [`select 1 from experiments where id = '${id}' for update`]);
    const both = barrier(2);
    const outcomes = await Promise.allSettled(
      [locks, locks.toReversed()].map(([first = [], second = []]) =>
        db.transact(async (uow) => {
          await sending(first)(uow);
          await both();
          await sending(second)(uow);
        }),
      ),
    );

    const failures: unknown[] = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason] : [],
    );
    expect(failures.map(reportedError)).toEqual([expectedError(ContentionError, '40P01')]);
  });

  const group = `${canary}\0`;
  test.each([
    ['read', () => db.read((uow) => uow.synths.count({ group }))],
    ['a read of one moment', () => db.read((uow) => uow.synths.count({ group }), { snapshot: true })],
    ['an inner transact', () => db.transact((uow) => uow.transact((inner) => inner.synths.count({ group })))],
  ] as const)('by %s', async (_, work) => {
    expect(reportedError(await rejectionOf(work()))).toEqual(expectedError(InvalidValueError, '22021'));
  });

  test.each([{}, { code: 'ECONNREFUSED' }, { code: '57P01' }, { code: '23505' }])(
    'an error of work is thrown unchanged: %o',
    async (fields) => {
      const cause = new DriverException(Object.assign(new Error(canary), { code: '42P01' }));
      const thrown = Object.assign(new Error(canary, { cause }), fields);

      expect(await rejectionOf(db.transact(() => Promise.reject(thrown)))).toBe(thrown);
    },
  );
});
