import { once } from 'node:events';
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConnectionError,
  ReadOnlyError,
  SettingsError,
  openDatabase,
  type Database,
} from '../../../src/index.ts';
import { anExperiment } from '../../../src/testing/index.ts';
import { synthdb } from '../../cli/run.ts';
import { emOf, server } from './answering-server.ts';
import { StreamingPair, ask } from './streaming-pair.ts';

const rounds = Number(process.env['REPLICA_ROUNDS'] ?? 50);

const maxReplicaLag = 64 * 1024;

describe('replicas', { timeout: 120_000 }, () => {
  let pair: StreamingPair;
  let database: Database;
  beforeAll(async () => {
    pair = await StreamingPair.start();
    database = await openDatabase({
      url: pair.primaryUrl,
      replicaUrls: [pair.replicaUrl],
      maxReplicaLag,
    });
  });
  afterAll(async () => {
    await database.close();
    await pair.remove();
  });

  const answering = (): Promise<string> => database.read(server, { from: 'replica' });
  const becomes = (which: string): Promise<void> =>
    expect.poll(answering, { timeout: 15_000, interval: 50 }).toBe(which);
  const lag = async (): Promise<unknown> => (await database.health()).replicas[0];

  test('are refused as failed connections when they replace the primary after the start', async () => {
    let behind = new URL(pair.primaryUrl);
    const sockets = new Set<Socket>();
    const proxy = createServer((client) => {
      const upstream = dial(Number(behind.port), behind.hostname);
      client.pipe(upstream).pipe(client);
      sockets.add(client);
      for (const side of [client, upstream]) side.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const url = new URL(pair.primaryUrl);
    url.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`; // oxlint-disable-line typescript/no-unsafe-type-assertion -- it listens on a port
    url.searchParams.set('target_session_attrs', 'primary');
    await using switched = await openDatabase({ url: url.href });
    const pool = await switched.orm.em.getConnection().getNativeClient();

    behind = new URL(pair.replicaUrl);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => pool.totalCount).toBe(0);
    const failures = await Promise.all([
      switched.transact(server).catch((error: unknown) => error),
      switched.read(server).catch((error: unknown) => error),
    ]);

    for (const failure of failures) expect(failure).toBeInstanceOf(ConnectionError);
    await expect.poll(() => pool.totalCount).toBe(0);
    behind = new URL(pair.primaryUrl);
    expect(await switched.transact(server)).toBe('primary');
    await switched.close();
    proxy.close();
  });

  test('are read from on request only', async () => {
    expect(await database.read(server)).toBe('primary');
    expect(await database.read(server, { snapshot: true })).toBe('primary');
    expect(await database.transact(server)).toBe('primary');
    expect(await answering()).toBe('replica');
    expect(await database.read(server, { from: 'replica', snapshot: true })).toBe('replica');
  });

  test('are not written to', async () => {
    const flushed = database.read(
      async (uow) => {
        anExperiment(emOf(uow));
        await emOf(uow).flush();
      },
      { from: 'replica' },
    );
    const sent = database.read(
      (uow) => emOf(uow).execute(`update experiments set name = 'Changed on a replica'`),
      { from: 'replica' },
    );

    await expect(flushed).rejects.toBeInstanceOf(ReadOnlyError);
    await expect(sent).rejects.toBeInstanceOf(ReadOnlyError);
  });

  test('do not lag when nobody writes', async () => {
    await expect.poll(lag, { timeout: 5_000 }).toEqual({ status: 'up', error: null, lag: 0 });

    // Also after a while.
    await ask(pair.primaryUrl, 'select pg_sleep(1.5)');

    expect(await lag()).toEqual({ status: 'up', error: null, lag: 0 });
    expect(await answering()).toBe('replica');
  });

  test('that lag too far are not used until they have caught up', async () => {
    await pair.pause();
    await ask(
      pair.primaryUrl,
      `select pg_logical_emit_message(false, 'lag', repeat('x', ${maxReplicaLag + 1}))`,
    );

    await becomes('primary');
    expect(await lag()).toMatchObject({ status: 'behind', error: null });

    await pair.resume();
    await becomes('replica');
  });

  test('that are down are not used until they are back', async () => {
    await pair.stopReplica();

    // No read fails, also not the first one.
    expect(await answering()).toBe('primary');
    expect(await lag()).toMatchObject({
      status: 'down',
      error: expect.stringContaining('ECONNREFUSED'),
      lag: null,
    });

    await pair.startReplica();
    await becomes('replica');
  });

  test('that fail during a read are replaced by the primary', async () => {
    const servers: string[] = [];

    const answer = await database.read(
      async (uow) => {
        servers.push(await server(uow));
        if (servers.length === 1) await emOf(uow).execute('select pg_terminate_backend(pg_backend_pid())');
        return 'answered';
      },
      { from: 'replica' },
    );

    expect(answer).toBe('answered');
    expect(servers).toEqual(['replica', 'primary']);
    await becomes('replica');
  });

  test('pass errors of work to the caller', async () => {
    let runs = 0;

    const failing = database.read(
      async () => {
        runs += 1;
        throw new Error('by itself');
      },
      { from: 'replica' },
    );

    await expect(failing).rejects.toThrow('by itself');
    expect(runs).toBe(1);
  });

  test(`show a write to a read with its position, ${rounds} times`, { timeout: 600_000 }, async () => {
    const answers = { replica: 0, primary: 0 };
    const missed: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { result: id, position } = await database.transact(async ({ em }) => anExperiment(em).id, {
        position: true,
      });
      const { found, by } = await database.read(
        async (uow) => ({ found: await uow.experiments.find(id), by: await server(uow) }),
        { from: 'replica', atLeast: position },
      );
      answers[by] += 1;
      if (!found) missed.push(round);
    }

    expect(missed).toEqual([]);
    // The primary answers rarely.
    expect(answers.replica).toBeGreaterThan(rounds / 2);
  });

  test('that do not reach the position are replaced by the primary', async () => {
    await becomes('replica');
    await pair.pause();
    const { result: id, position } = await database.transact(async ({ em }) => anExperiment(em).id, {
      position: true,
    });
    const look = (atLeast?: string | null) =>
      database.read(
        async (uow) => ({ found: (await uow.experiments.find(id)) !== null, by: await server(uow) }),
        { from: 'replica', ...(atLeast !== undefined && { atLeast }) },
      );

    expect(await look()).toEqual({ found: false, by: 'replica' });
    expect(await look(position)).toEqual({ found: true, by: 'primary' });
    // The position is unknown.
    expect(await look(null)).toEqual({ found: true, by: 'primary' });

    await pair.resume();
    await expect.poll(() => look(position)).toEqual({ found: true, by: 'replica' });
  });

  test('answer while the primary is down', async () => {
    await becomes('replica');
    await pair.stopPrimary();

    const answers = [await answering(), await answering()];
    const health = await database.health({ timeout: 500 });

    await pair.startPrimary();
    expect(answers).toEqual(['replica', 'replica']);
    expect(health).toMatchObject({ status: 'down', replicas: [{ status: 'up' }] });
    await expect.poll(() => database.read(server).catch(() => 'down')).toBe('primary');
  });

  test.each([
    ['', { status: 'degraded', ready: true, error: 'the server is a standby: nothing can be written' }],
    ['?target_session_attrs=standby', { status: 'up', ready: true, error: null }],
    ['?target_session_attrs=read-only', { status: 'up', ready: true, error: null }],
  ])(
    'are degraded as the primary, except with target_session_attrs that accepts one: "%s"',
    async (attributes, health) => {
      await using own = await openDatabase({ url: `${pair.replicaUrl}${attributes}` });

      expect(await own.health()).toMatchObject(health);
    },
  );

  test('that can not be read from leave the database degraded and ready', async () => {
    await using own = await openDatabase({
      url: pair.primaryUrl,
      replicaUrls: [pair.replicaUrl, pair.primaryUrl],
    });

    await expect
      .poll(() => own.health())
      .toMatchObject({
        status: 'degraded',
        ready: true,
        error: 'replica 2 is down',
        replicas: [{ status: 'up' }, {}],
      });
  });

  test('are checked by the doctor', async () => {
    const { code, stdout } = await synthdb(['doctor', '--json'], tmpdir(), {
      DATABASE_URL: pair.primaryUrl,
      REPLICA_DATABASE_URLS: `${pair.replicaUrl} ${pair.primaryUrl}`,
    });

    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({ subject: 'replica 1', level: 'fine' }),
        expect.objectContaining({
          subject: 'replica 2',
          level: 'warning',
          message: expect.stringContaining('not a replica'),
        }),
      ]),
    });
  });

  test('that are no replicas are reported', async () => {
    await using own = await openDatabase({ url: pair.primaryUrl, replicaUrls: [pair.primaryUrl] });

    expect(await own.read(server, { from: 'replica' })).toBe('primary');
    expect((await own.health()).replicas).toEqual([
      { status: 'down', error: 'it is not a replica', lag: null },
    ]);
  });
});

test.each([-1, 0.5, Number.NaN, Infinity])('refuses a maximum lag of %d bytes', async (bytes) => {
  await expect(openDatabase({ url: 'postgresql://u@127.0.0.1:1/d', maxReplicaLag: bytes })).rejects.toThrow(
    SettingsError,
  );
});
