import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/index.ts';
import { TestDatabase, TestServer } from '../../../src/testing/index.ts';
import { occupyConnections } from './health-in-time.ts';

describe('the health of a database', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('is reported as JSON, with its pool and its schema', async () => {
    await using database = await openDatabase({ url: db.url, pool: { max: 3 } });

    const health = await database.health();

    expect(health).toEqual({
      status: 'up',
      ready: true,
      error: null,
      latency: expect.any(Number),
      pool: { max: 3, total: 1, idle: 1, waiting: 0 },
      schema: { version: expect.stringMatching(/^Migration\d{14}_/), pending: [], unknown: [] },
      replicas: [],
    });
    expect(JSON.parse(JSON.stringify(health))).toEqual(health);
  });

  test('lists the pending migrations, and is not ready', async () => {
    await using empty = await TestServer.shared().createEmptyDatabase();
    await using database = await openDatabase({ url: empty.url, schemaBehind: 'ignore' });

    const health = await database.health();

    expect(health).toMatchObject({
      status: 'degraded',
      ready: false,
      error: expect.stringMatching(/^\d+ migrations are pending$/),
      schema: { version: null, unknown: [] },
    });
    expect(health.schema?.pending).not.toEqual([]);
  });

  test('is degraded and ready when newer code migrated it or its migrations can not be read', async () => {
    await using own = await TestDatabase.create();
    await using database = await openDatabase({ url: own.url });
    await own.orm.em
      .fork()
      .execute(
        `insert into mikro_orm_migrations (name, executed_at) values ('Migration99990101000000_later', now())`,
      );

    expect(await database.health()).toMatchObject({
      status: 'degraded',
      ready: true,
      error: '1 migrations are newer than this code',
    });
    await own.orm.em.fork().execute('alter table mikro_orm_migrations rename column name to was');
    expect(await database.health()).toMatchObject({
      status: 'degraded',
      ready: true,
      error: 'the list of migrations could not be read',
      schema: null,
    });
  });

  test('is down after it was dropped, and the report has no address', async () => {
    const gone = await TestDatabase.create();
    await using database = await openDatabase({ url: gone.url });
    await gone.drop();

    const health = await database.health();

    expect(health).toMatchObject({ status: 'down', latency: null, schema: null });
    expect(health.error).toMatch(/^Database connection (?:failed|lost)/);
    expect(JSON.stringify(health)).not.toContain(gone.target.parts.database);
  });

  test('is down after it was closed', async () => {
    const database = await openDatabase({ url: db.url });
    await database.close();

    expect(await database.health()).toMatchObject({ status: 'down', error: 'the database was closed' });
  });

  test('counts the units of work that wait for a connection, without its own check', async () => {
    await using database = await openDatabase({ url: db.url, pool: { max: 2 } });
    const free = await occupyConnections(database, 4, 'select pg_sleep(60)', 2);

    const { pool } = await database.health({ timeout: 50 });

    expect(pool).toEqual({ max: 2, total: 2, idle: 0, waiting: 2 });
    await free();
  });
});
