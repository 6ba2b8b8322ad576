import { beforeAll, describe, expect, test } from 'vitest';
import { describeDrift, Migrator } from 'mikro-orm-safe-migrations';
import { TestDatabase } from './kit/database.ts';
import type { Fault } from './kit/proxy/fault.ts';
import { WireProxy } from './kit/proxy/wire-proxy.ts';
import { accountMigrations, accountsOrm } from './accounts.ts';
import { completedRuns, readFinalState, finalStates, type FinalState } from './final-state.ts';
import { RunnerProcess } from './runner-process.ts';

// Every statement where it is asked for; else every so manyth.
const all = process.env['MIGRATOR_POINTS'] === 'all';
const timeout = 900_000;
// Most of the time goes by waiting for the end of a lease.
const atOnce = 4;
const options = { lease: 500 };

type Direction = 'up' | 'down';

let undisturbed: Record<Direction, FinalState>;
beforeAll(async () => {
  await using db = await TestDatabase.create();
  undisturbed = await finalStates(db.url);
});

async function migrate(url: string, direction: Direction): Promise<void> {
  const orm = accountsOrm(url);
  try {
    const migrator = new Migrator(orm, options);
    await (direction === 'up' ? migrator.up() : migrator.down({ all: true }));
  } finally {
    await orm.close(true);
  }
}

async function driftOf(url: string): Promise<string[]> {
  const orm = accountsOrm(url);
  try {
    return (await new Migrator(orm).drift()).differences.map(describeDrift);
  } finally {
    await orm.close(true);
  }
}

/** How a run is disturbed at a statement: what the proxy does there, and what follows. */
interface Disturbance {
  run(scene: { db: TestDatabase; proxy: WireProxy; direction: Direction; at: number }): Promise<void>;
}

/** The connection of the n-th statement breaks; the runner lives on, and may fail or not. */
function connection(fault: Fault): Disturbance {
  return {
    async run({ proxy, direction, at }) {
      proxy.failAt(at, fault);
      await Promise.allSettled([migrate(proxy.url(), direction)]);
    },
  };
}

/** All processes that serve the runner end before the n-th statement; the runner lives on, and may fail or not. */
const processes: Disturbance = {
  async run({ db, proxy, direction, at }) {
    let ended = Promise.resolve();
    const end = async (): Promise<void> => {
      await db.orm.em.execute(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity
         where datname = current_database() and application_name = '' and backend_type = 'client backend'`,
      );
    };
    proxy.failAt(at, { after: () => (ended = end()) });
    await Promise.allSettled([migrate(proxy.url(), direction)]);
    await ended;
  },
};

/** The process of the runner is killed at the n-th statement, which has reached the server or not. */
function runner(reached: boolean): Disturbance {
  return {
    async run({ proxy, direction, at }) {
      using started = await RunnerProcess.start();
      proxy.failAt(at, reached ? { after: async () => started.stop() } : 'silent');
      const answer = started.carryOut({ url: proxy.url(), direction, options });
      await Promise.race([proxy.allTriggered(), answer]);
      started.kill();
      await answer;
      proxy.failNow('cut');
    },
  };
}

/** Disturbs a run at its n-th statement, lets the next one go to its end, and tells whether the run had so many. */
async function convergesAfter(disturbance: Disturbance, direction: Direction, at: number): Promise<boolean> {
  await using db = await TestDatabase.create();
  if (direction === 'down') await migrate(db.url, 'up');
  await using proxy = await WireProxy.start(db.target);

  await disturbance.run({ db, proxy, direction, at });
  const reached = proxy.armed === 0;
  const drift = await driftOf(db.url);
  await migrate(db.url, direction);

  const ups = accountMigrations.map((name) => `up ${name}`);
  const downs = accountMigrations.toReversed().map((name) => `down ${name}`);
  // Named, so that a failure tells after which statement.
  const point = `${at} ${proxy.triggered[0]}`;
  expect({ point, ...(await readFinalState(db.orm)) }).toEqual({ point, ...undisturbed[direction] });
  // What an interrupted run leaves is no change by other means.
  expect({ point, drift }).toEqual({ point, drift: [] });
  expect({ point, done: await completedRuns(db.orm.em) }).toEqual({
    point,
    done: direction === 'up' ? ups : [...ups, ...downs],
  });
  expect({ point, progress: await db.orm.em.execute('select * from migrator.progress') }).toEqual({
    point,
    progress: [],
  });
  return reached;
}

describe.each(['up', 'down'] as const)('going %s', (direction) => {
  test.each([
    ['a connection is cut before', 10, connection('cut')],
    ['a connection is cut after', 10, connection('cut after sending')],
    ['all server processes are terminated before', 10, processes],
    ['the runner is killed before', 40, runner(false)],
    ['the runner is killed after', 40, runner(true)],
  ])('the next run converges when %s any statement', { timeout }, async (what, every, disturbance) => {
    const stride = all ? 1 : every;
    let points = 0;
    for (let next = 1, goesOn = true; goesOn; next += atOnce * stride) {
      const reached = await Promise.all(
        Array.from({ length: atOnce }, (_, n) => convergesAfter(disturbance, direction, next + n * stride)),
      );
      points += reached.filter(Boolean).length;
      goesOn = !reached.includes(false);
    }
    console.log(`going ${direction}, ${what}: ${points} statements`);
    expect(points).toBeGreaterThan(1);
  });
});
