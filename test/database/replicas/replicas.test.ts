import { once } from 'node:events';
import { connect as dial, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { walBytes } from '../../../src/database/replicas/wal-position.ts';
import {
  ConnectionError,
  InvalidValueError,
  ReadOnlyError,
  SettingsError,
  UnitOfWork,
  openDatabase,
  type Database,
  type EntityManager,
  type ReadingUnitOfWork,
} from '../../../src/index.ts';
import { anExperiment } from '../../../src/testing/index.ts';
import { synthdb } from '../../cli/run.ts';
import { StreamingPair, ask } from './streaming-pair.ts';

const rounds = Number(process.env['REPLICA_ROUNDS'] ?? 50);

const maxReplicaLag = 64 * 1024;

/** Underneath what a reader is let see. */
function emOf(uow: ReadingUnitOfWork): EntityManager {
  if (!(uow instanceof UnitOfWork)) throw new Error('another unit of work than ours');
  return uow.em;
}

async function server(uow: ReadingUnitOfWork): Promise<'replica' | 'primary'> {
  const [row] = await emOf(uow).execute<{ standby: boolean }[]>('select pg_is_in_recovery() as standby');
  return row?.standby ? 'replica' : 'primary';
}

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

  test('that take the place of the primary after the start are a connection that failed, and are not kept', async () => {
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

  test('are read from only where the caller says so', async () => {
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

    // As time goes by, too.
    await ask(pair.primaryUrl, 'select pg_sleep(1.5)');

    expect(await lag()).toEqual({ status: 'up', error: null, lag: 0 });
    expect(await answering()).toBe('replica');
  });

  test('that lag too far are passed over until they have caught up', async () => {
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

  test('that are down are passed over until they are back', async () => {
    await pair.stopReplica();

    // Not one read fails, not even the first.
    expect(await answering()).toBe('primary');
    expect(await lag()).toMatchObject({
      status: 'down',
      error: expect.stringContaining('ECONNREFUSED'),
      lag: null,
    });

    await pair.startReplica();
    await becomes('replica');
  });

  test('that fail on the way leave the read to the primary', async () => {
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

  test('leave errors of the work to the caller', async () => {
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

  test(
    `show what was written to whoever asks for its position, ${rounds} times`,
    { timeout: 600_000 },
    async () => {
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
      // The primary may have to now and then; as a rule it is spared.
      expect(answers.replica).toBeGreaterThan(rounds / 2);
    },
  );

  test('that do not come to the position leave the read to the primary', async () => {
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
    // Nobody knows it.
    expect(await look(null)).toEqual({ found: true, by: 'primary' });

    await pair.resume();
    await expect.poll(() => look(position)).toEqual({ found: true, by: 'replica' });
  });

  test('answer also while the primary is down', async () => {
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
    'leave a service that is led to one degraded, unless it asked for one: "%s"',
    async (attributes, health) => {
      await using own = await openDatabase({ url: `${pair.replicaUrl}${attributes}` });

      expect(await own.health()).toMatchObject(health);
    },
  );

  test('leave the database degraded when one can not be read from, and ready', async () => {
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

  test('that never answer do not hold up the health', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    await using own = await openDatabase({
      url: pair.primaryUrl,
      replicaUrls: [`postgresql://nobody@127.0.0.1:${portOf(silent)}/none`],
    });

    const begun = performance.now();
    const health = await own.health({ timeout: 300 });

    expect(performance.now() - begun).toBeLessThan(900);
    expect(health).toMatchObject({
      status: 'degraded',
      ready: true,
      replicas: [{ status: 'down', error: 'no answer within 300 ms', lag: null }],
    });
    silent.close();
  });

  test('are examined by the doctor', async () => {
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
          says: expect.stringContaining('not a replica'),
        }),
      ]),
    });
  });

  test('that are none are told as such', async () => {
    await using own = await openDatabase({ url: pair.primaryUrl, replicaUrls: [pair.primaryUrl] });

    expect(await own.read(server, { from: 'replica' })).toBe('primary');
    expect((await own.health()).replicas).toEqual([
      { status: 'down', error: 'it is not a replica', lag: null },
    ]);
  });

  test('that never answer hold up one read, and that for a second', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    await using own = await openDatabase({
      url: pair.primaryUrl,
      replicaUrls: [`postgresql://somebody@127.0.0.1:${portOf(silent)}/nowhere`],
      pool: { acquireTimeout: 3_000 },
    });

    const begun = performance.now();
    const first = await own.read(server, { from: 'replica' });
    const waited = performance.now() - begun;
    // It is asked again after a second, twice here.
    let longest = 0;
    for (const end = performance.now() + 2_500; performance.now() < end;) {
      const next = performance.now();
      await own.read(server, { from: 'replica' });
      longest = Math.max(longest, performance.now() - next);
      await setTimeout(20);
    }

    silent.close();
    expect(first).toBe('primary');
    expect(waited).toBeLessThan(2_500);
    expect(longest).toBeLessThan(900);
  });
});

describe('a position', () => {
  test.each([
    ['0/0', 0n],
    ['0/16B3748', 0x16b3748n],
    ['16/B374D848', 0x16b374d848n],
    ['FFFFFFFF/FFFFFFFF', 2n ** 64n - 1n],
  ])('%s is a number of bytes', (text, bytes) => {
    expect(walBytes(text)).toBe(bytes);
  });

  test.each(['', '0', '/', '0/', '0/0/0', '0/123456789', 'x/y', `0/0'; drop table experiments; --`])(
    '%j is none',
    (text) => {
      expect(() => walBytes(text)).toThrow(InvalidValueError);
    },
  );
});

test.each([-1, 0.5, Number.NaN, Infinity])('a lag of %d bytes can not be allowed', async (bytes) => {
  await expect(openDatabase({ url: 'postgresql://u@127.0.0.1:1/d', maxReplicaLag: bytes })).rejects.toThrow(
    SettingsError,
  );
});

function portOf(listening: Server): number {
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}
