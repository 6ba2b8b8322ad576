import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/index.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { server } from './answering-server.ts';

describe('replicas', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterAll(() => db.drop());

  test('that never answer do not delay the health', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    await using own = await openDatabase({
      url: db.url,
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

  test('that never answer delay one read by a second', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    await using own = await openDatabase({
      url: db.url,
      replicaUrls: [`postgresql://nobody@127.0.0.1:${portOf(silent)}/nowhere`],
      pool: { acquireTimeout: 3_000 },
    });

    const begun = performance.now();
    const first = await own.read(server, { from: 'replica' });
    const waited = performance.now() - begun;
    // It is checked again every second, twice here.
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

function portOf(listening: Server): number {
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}
