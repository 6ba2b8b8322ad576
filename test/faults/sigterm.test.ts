import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { TestDatabase, anAnalysisRun } from '../../src/testing/index.ts';
import { concurrently } from '../concurrency/concurrently.ts';
import { durationOf } from './proxied-database.ts';

const root = `${import.meta.dirname}/../..`;
const body = JSON.stringify({
  goal: { metric: 'success_rate', operator: '>=', value: 0.6 },
  config: {},
  params: { complexity: 0.4, initial_effort: 0.4, perceived_risk: 0.4, time_to_value: 0.4 },
});

test('a service that gets SIGTERM under load loses no acknowledged change, and stores no partial one', async () => {
  await using db = await TestDatabase.create();
  const { experiment } = await db.transact(async ({ em }) => anAnalysisRun(em));
  const port = await aFreePort();
  const service = spawn(
    process.execPath,
    ['--import', `${import.meta.dirname}/from-source.ts`, `${root}/examples/service/main.ts`],
    {
      cwd: root,
      env: { PATH: process.env['PATH'], DATABASE_URL: db.url, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  onTestFinished(() => void service.kill('SIGKILL'));
  const origin = `http://127.0.0.1:${port}`;
  await expect.poll(() => isUp(origin), { timeout: 20_000 }).toBe(true);

  const acknowledged: string[] = [];
  const ending = new AbortController();
  const clients = concurrently(20, async () => {
    while (service.exitCode === null) {
      try {
        const answer = await fetch(`${origin}/experiments/${experiment.id}/explorations`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
        const { id }: { id?: string } = JSON.parse(await answer.text());
        if (answer.status === 201 && id !== undefined) acknowledged.push(id);
      } catch {
        // Nothing was acknowledged.
        if (ending.signal.aborted) return;
      }
    }
  });
  await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(100);

  const exited = once(service, 'exit');
  const took = await durationOf(async () => {
    ending.abort();
    service.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
  await clients;

  expect(took).toBeLessThan(5_000);
  const stored = await db.orm.em.fork().execute<{ id: string; nodes: number }[]>(
    `select e.id, count(n.id)::int as nodes
      from explorations e left join scenario_nodes n on n.exploration_id = e.id group by e.id`,
  );
  expect(stored.filter(({ nodes }) => nodes !== 1)).toEqual([]);
  const keys = new Set(stored.map(({ id }) => id));
  expect(acknowledged.filter((id) => !keys.has(id))).toEqual([]);
});

async function isUp(origin: string): Promise<boolean> {
  try {
    return (await fetch(`${origin}/experiments`)).ok;
  } catch {
    return false;
  }
}

async function aFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('it listens on a port');
  return address.port;
}
