import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/postgres/orm/connect.ts';
import { Experiment } from '../../src/entities.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { connected, copy } from './connected.ts';
import { WireProxy } from './wire-proxy.ts';

describe('a wire proxy records', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let client: Client;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.orm.em.execute('create table counted (n int)');
  });
  beforeEach(async () => {
    await db.orm.em.execute('truncate counted');
    proxy = await WireProxy.start(db.target);
    client = await connected(proxy);
  });
  afterEach(() => proxy.close());
  afterAll(() => db.drop());

  /** What others see. */
  const stored = async (): Promise<number[]> =>
    (await db.orm.em.execute<{ n: number }[]>('select n from counted order by n')).map(({ n }) => n);

  test('nothing for a login', () => {
    expect(proxy.statements).toEqual([]);
  });

  test('each statement of a text', async () => {
    await client.query("begin; insert into counted values (1); select ';'; commit");

    expect(proxy.statements).toEqual(['begin', 'insert into counted values (1)', "select ';'", 'commit']);
    expect(await stored()).toEqual([1]);
  });

  test('a statement with parameters, as it was written', async () => {
    const { rows } = await client.query('select $1::int + 1 as n', [1]);

    expect(rows).toEqual([{ n: 2 }]);
    expect(proxy.statements).toEqual(['select $1::int + 1 as n']);
  });

  test('a prepared statement once for each time that it runs', async () => {
    const insert = { name: 'insert', text: 'insert into counted values ($1)' };
    await client.query({ ...insert, values: [1] });
    await client.query({ ...insert, values: [2] });

    expect(proxy.statements).toEqual([insert.text, insert.text]);
    expect(await stored()).toEqual([1, 2]);
  });

  test('a copy once, regardless of its size', async () => {
    const lines = Array.from({ length: 1_000 }, (_, n) => String(n));

    await copy(client, 'counted', lines);

    expect(proxy.statements).toEqual(['copy counted from stdin']);
    expect(await stored()).toHaveLength(1_000);
  });

  test('a stream once for each fetch', async () => {
    await db.transact(async ({ em }) => {
      for (let n = 0; n < 5; n++) anExperiment(em);
    });
    const orm = await connect(proxy.target);
    proxy.reset();

    const streamed: Experiment[] = [];
    for await (const row of orm.em.fork().stream(Experiment, { chunkSize: 2 })) streamed.push(row);
    await orm.close(true);

    expect(streamed).toHaveLength(5);
    expect(proxy.statements).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/from "experiments"/)),
    );
  });

  test('statements of all connections, until it is reset', async () => {
    const other = await connected(proxy);
    await client.query('select 1');
    await other.query('select 2');
    expect(proxy.statements).toEqual(['select 1', 'select 2']);
    expect(proxy.connections).toBe(2);

    proxy.reset();
    await client.query('select 3');

    expect(proxy.statements).toEqual(['select 3']);
  });

  test('a statement that arrives in many chunks, and passes on such an answer', async () => {
    const text = `select '${'x'.repeat(3_000_000)}' as echo`;

    const { rows } = await client.query(text);

    expect(rows).toEqual([{ echo: 'x'.repeat(3_000_000) }]);
    expect(proxy.statements).toEqual([text]);
  });
});
