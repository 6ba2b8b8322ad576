import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/database/connect.ts';
import { Database } from '../../src/database/database.ts';
import { openDatabase } from '../../src/index.ts';
import { TestDatabase, TestServer } from '../../src/testing/index.ts';
import { meeting, together } from '../concurrency/together.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';

describe('the health of a database', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('is told with its pool and its schema, as JSON', async () => {
    await using database = await openDatabase({ url: db.url, pool: { max: 3 } });

    const health = await database.health();

    expect(health).toEqual({
      status: 'up',
      error: null,
      latency: expect.any(Number),
      pool: { max: 3, total: 1, idle: 1, waiting: 0 },
      schema: { version: expect.stringMatching(/^Migration\d{14}_/), pending: [], unknown: [] },
      replicas: [],
    });
    expect(JSON.parse(JSON.stringify(health))).toEqual(health);
  });

  test('names the migrations that are pending', async () => {
    await using empty = await TestServer.shared().createEmptyDatabase();
    await using database = await openDatabase({ url: empty.url, schemaBehind: 'ignore' });

    const { schema } = await database.health();

    expect(schema).toMatchObject({ version: null, unknown: [] });
    expect(schema?.pending).not.toEqual([]);
  });

  test('that is gone is down, and nothing of where it was is told', async () => {
    const gone = await TestDatabase.create();
    await using database = await openDatabase({ url: gone.url });
    await gone.drop();

    const health = await database.health();

    expect(health).toMatchObject({ status: 'down', latency: null, schema: null });
    expect(health.error).toMatch(/^Database connection (?:failed|lost)/);
    expect(JSON.stringify(health)).not.toContain(gone.target.parts.database);
  });

  test('that is closed is down', async () => {
    const database = await openDatabase({ url: db.url });
    await database.close();

    expect(await database.health()).toMatchObject({ status: 'down', error: 'the database was closed' });
  });

  test('that does not answer is down in time, however often one asks, and takes one connection for it', async () => {
    const proxy = await WireProxy.start(db.target);
    const database = new Database(await connect(proxy.target, { pool: { max: 5 } }));
    proxy.failAt(/select 1/, 'silent');

    const begun = performance.now();
    const asked = [await database.health({ timeout: 200 })];
    asked.push(...(await together(10, () => database.health({ timeout: 200 }))));

    expect(performance.now() - begun).toBeLessThan(1_500);
    for (const health of asked)
      expect(health).toMatchObject({ status: 'down', error: 'no answer within 200 ms', pool: { total: 1 } });
    await proxy.close();
    await database.close();
  });

  test('shows who waits for a connection', async () => {
    await using database = await openDatabase({ url: db.url, pool: { max: 2 } });
    const held = meeting(3);
    const holders = together(2, () =>
      database.transact(async ({ em }) => {
        await em.execute('select 1');
        await held();
      }),
    );
    await expect
      .poll(async () => (await database.health({ timeout: 50 })).pool)
      .toMatchObject({
        total: 2,
        idle: 0,
        waiting: 1,
      });

    await held();
    await holders;
    await expect.poll(() => database.health()).toMatchObject({ status: 'up', pool: { idle: 2, waiting: 0 } });
  });
});
