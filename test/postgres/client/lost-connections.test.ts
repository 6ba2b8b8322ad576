import { DriverException } from '@mikro-orm/core';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../../src/postgres/orm/connect.ts';
import { Database } from '../../../src/database/database.ts';
import { sqlStateOf, toDataError } from '../../../src/postgres/errors/translate-error.ts';
import { ConnectionError, ConnectionLostError, type UnitOfWork } from '../../../src/index.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';
import { canary, rejectionOf } from '../../database/reported-error.ts';

describe('a connection that is lost', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    proxy = await WireProxy.start(db.target);
    database = new Database(await connect(proxy.target, { pool: { max: 1 } }));
  });
  afterAll(async () => {
    await database.close();
    await proxy.close();
    await db.drop();
  });

  const statement = `select '${canary}'`;
  const byOrm = ({ em }: UnitOfWork): Promise<unknown> => em.execute(statement);
  const byKysely = ({ em }: UnitOfWork): Promise<unknown> => sql.raw(statement).execute(em.getKysely());
  const lost = expect.stringMatching(new RegExp(`^Database connection lost: (?!.*${canary})`));

  test.each([
    ['cut', 'by the ORM', byOrm],
    ['cut', 'by Kysely', byKysely],
    ['reset', 'by the ORM', byOrm],
    ['reset', 'by Kysely', byKysely],
  ] as const)('%s during a statement sent %s', async (fault, _, send) => {
    proxy.failAt(new RegExp(canary), fault);

    const failure = await rejectionOf(database.transact(send));

    expect(failure).toBeInstanceOf(ConnectionLostError);
    expect(failure).toMatchObject({ cause: expect.any(Error), message: lost });
  });

  test('is reported by the next statement', async () => {
    const failure = await rejectionOf(
      database.transact(async (uow) => {
        proxy.failNow('cut');
        await expect.poll(() => proxy.connections).toBe(0);
        await byOrm(uow);
      }),
    );

    expect(failure).toBeInstanceOf(ConnectionLostError);
    expect(failure).toMatchObject({ cause: expect.any(Error), message: lost });
  });

  test.each(['transact', 'read'] as const)(
    'is reported when no new connection is possible: %s',
    async (method) => {
      proxy.accepting = false;

      const failure = await rejectionOf(database[method](({ experiments }) => experiments.find(canary)));

      proxy.accepting = true;
      expect(failure).toBeInstanceOf(ConnectionError);
      expect(failure).toMatchObject({
        cause: expect.any(Error),
        message: expect.stringMatching(/^Database connection failed: .*cut/),
      });
    },
  );
});

describe('a host with several addresses', () => {
  const refusal = Object.assign(new Error('connect ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  });

  test.each([
    ['as Node tells it', new AggregateError([refusal, refusal])],
    ['as the ORM does', new DriverException(new AggregateError([refusal, refusal]))],
  ])('that all refuse is a failed connection: %s', (_, error) => {
    const told = toDataError(error);

    expect(told).toBeInstanceOf(ConnectionError);
    expect(told).toMatchObject({ cause: error, message: expect.stringContaining('ECONNREFUSED') });
    expect(sqlStateOf(told)).toBe('ECONNREFUSED');
  });
});
