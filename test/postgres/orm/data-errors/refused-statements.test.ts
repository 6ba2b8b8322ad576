/* oxlint-disable typescript/no-unsafe-type-assertion, no-await-in-loop -- a query that the types forbid; statements one after the other */
/* oxlint-disable vitest/expect-expect -- `expectDataError` does */
import { CompiledQuery, sql } from 'kysely';
import { afterAll, beforeAll, describe, test } from 'vitest';
import {
  ConstraintError,
  ContentionError,
  ForbiddenError,
  InvalidValueError,
  StatementError,
  UnavailableError,
  type UnitOfWork,
} from '../../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../../src/testing/index.ts';
import { barrier } from '../../../concurrency/concurrently.ts';
import { canary, type Kind } from '../../../database/reported-error.ts';
import { caughtIn, expectDataError, type Work } from './caught-errors.ts';

const lock = (uow: UnitOfWork, id = '') =>
  uow.em.execute(`select '${canary}' from experiments where id = '${id}' for update`);

describe('the error of a refused statement, caught inside a unit of work', () => {
  let db: TestDatabase;
  let existing: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
    existing = (await db.transact(async ({ em }) => anExperiment(em, { name: canary }))).id;
    await db.orm.em.execute(`
      create table booked (during int4range, note text, exclude using gist (during with &&));
      insert into booked values ('[1,3]', '${canary}');
      create table tenants (note text);
      alter table tenants enable row level security;
      grant insert on tenants to pg_monitor`);
  });
  afterAll(() => db.drop());

  const caught = (work: Work, options?: Parameters<TestDatabase['transact']>[1]): Promise<unknown> =>
    caughtIn(db, work, options);

  const senders: Readonly<Record<string, (uow: UnitOfWork, statement: string) => Promise<unknown>>> = {
    'em.execute': ({ em }, statement) => em.execute(statement),
    "the ORM's driver": ({ em }, statement) =>
      em.getDriver().execute(statement, [], 'all', em.getTransactionContext()),
    Kysely: ({ em }, statement) => sql.raw(statement).execute(em.getKysely()),
    'a stream of Kysely': async ({ em }, statement) => {
      const executor = em.getKysely().getExecutor();
      const query = { ...CompiledQuery.raw(statement), query: { kind: 'SelectQueryNode' } } as never;
      for await (const _ of executor.stream(query, 10));
    },
    'an inner unit': (uow, statement) => uow.transact(({ em }) => em.execute(statement)),
  };
  const refusedStatements: Readonly<Record<string, readonly [Kind, string, before?: readonly string[]]>> = {
    exclusion: [ConstraintError, `insert into booked values ('[2,4]', '${canary}')`],
    'row-level security': [
      ForbiddenError,
      `insert into tenants values ('${canary}')`,
      ['set local role pg_monitor'],
    ],
    'a lacking privilege': [
      ForbiddenError,
      `delete from tenants where note = '${canary}'`,
      ['set local role pg_monitor'],
    ],
    'a malformed number': [InvalidValueError, `select '${canary}'::int`],
    'a malformed time': [InvalidValueError, `select '${canary}'::timestamptz`],
    'a trigger that raises': [ConstraintError, `do $$ begin raise exception '${canary}'; end $$`],
    'the statement timeout': [
      UnavailableError,
      `select '${canary}', pg_sleep(60)`,
      [`set local statement_timeout = 50`],
    ],
    'an unknown column': [StatementError, `select ${canary} from experiments`],
    'what follows a failure': [StatementError, `select '${canary}'`, ['savepoint s', 'select 1 / 0']],
  };
  // A cursor can't run it.
  const noCursor: ReadonlySet<string> = new Set(['a trigger that raises']);

  test.each(
    Object.entries(refusedStatements).flatMap(([refusal, [kind, statement, before = []]]) =>
      Object.entries(senders)
        .filter(([sender]) => !sender.startsWith('a stream') || !noCursor.has(refusal))
        .map(([sender, send]) => ({ refusal, sender, kind, statement, before, send })),
    ),
  )('$refusal by $sender', async ({ kind, statement, before, send }) => {
    const failure = await caught(async (uow) => {
      for (const first of before) await uow.em.execute(first).catch(() => {});
      await send(uow, statement);
    });

    expectDataError(failure, kind);
  });

  test.each(Object.entries(senders))('a lock timeout and a lost race, by %s', async (_, send) => {
    const change = `update experiments set description = '${canary}' where id = '${existing}' returning id`;
    const late = await db.transact(async ({ em }) => {
      await em.execute(change);
      return caught((uow) => send(uow, change), { timeouts: { lock: 50 } });
    });
    const overtaken = await caught(
      async (uow) => {
        await uow.em.execute('select 1 from experiments');
        await db.transact(({ em }) => em.execute(change));
        await send(uow, change);
      },
      { isolation: 'repeatable read' },
    );

    expectDataError(late, ContentionError);
    expectDataError(overtaken, ContentionError);
  });

  test('a deadlock', async () => {
    const ids = await db.transact(async ({ em }) => [anExperiment(em).id, anExperiment(em).id]);
    const both = barrier(2);
    const failures = await Promise.all(
      [ids, ids.toReversed()].map(async ([first, second]) => {
        let failure: unknown;
        await db
          .transact(async (uow) => {
            await lock(uow, first);
            await both();
            failure = await lock(uow, second).catch((error: unknown) => Promise.reject((failure = error)));
          })
          .catch(() => {});
        return failure;
      }),
    );

    expectDataError(
      failures.find((failure) => failure instanceof Error),
      ContentionError,
    );
  });
});
