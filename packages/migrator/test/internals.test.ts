import { Migration } from '@mikro-orm/migrations';
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { announcedProcess } from '../src/internals/announced-process.ts';
import { disconnect } from '../src/internals/disconnect.ts';
import { withQueriesIntercepted } from '../src/session/driver-options.ts';
import { onOwnConnection } from '../src/session/own-connection.ts';
import { inTransaction, poolSession } from '../src/session/session.ts';
import { emptyDatabase } from './kit/database.ts';

test('pg keeps the process id of the login in `processID`; use a documented property once it has one', async () => {
  const { url } = await emptyDatabase();
  const client = new Client(url);
  await client.connect();
  onTestFinished(() => client.end());

  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');

  expect(announcedProcess(client)).toBe(rows[0]?.pid);
});

class Queries extends Migration {
  override up(): void {}

  /** Every way in which a migration reaches the database. */
  ways(): (() => unknown)[] {
    return [
      () => this.execute('select 1'),
      () => this.getEntityManager(),
      () => this.driver.getConnection(),
      () => this.driver.execute('select 1'),
      () => this.config.getDriver().getConnection(),
    ];
  }
}

test('the ORM reaches the database through `execute`, `getEntityManager`, `driver` and `config` of a migration', async () => {
  const { orm } = await emptyDatabase();
  const migration = new Queries(orm.em.getDriver(), orm.config);
  let waiting = 0;
  const { reconnect, release } = disconnect(orm, migration, {
    onWaitingQuery: () => (waiting += 1),
    onQuery: () => {
      throw new Error('queried');
    },
  });
  const [execute, ...others] = migration.ways();

  for (const way of others) expect(way).toThrow('queried');
  const executed = execute?.();
  expect(waiting).toBe(1);
  reconnect();
  release();
  expect(await executed).toEqual([{ '?column?': 1 }]);
  migration.addSql('select 1');
  expect(migration.getQueries()).toEqual(['select 1']);
});

test('the ORM sends every query by `query` of a client of the pool', async () => {
  const { url } = await emptyDatabase();
  const sent: string[] = [];
  const configuration: Options = {
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    ensureDatabase: false,
  };
  const options = withQueriesIntercepted(configuration, () => {
    return (send, text, values) => {
      sent.push(text);
      return send(text, values);
    };
  });
  const orm = new MikroORM(options);
  onTestFinished(() => orm.close(true));

  await orm.em.execute('select 1');
  await poolSession(orm).query('select $1::int', [2]);
  await inTransaction(orm, (session) => session.query('select 3'));
  await onOwnConnection(orm, (session) => session.query('select 4'));

  expect(sent).toEqual([
    'select 1',
    'select $1::int',
    'start transaction isolation level read committed',
    'select 3',
    'commit',
    'select 4',
  ]);
});
