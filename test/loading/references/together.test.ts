import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parentsOfRound, type RoundRequest, type Round } from './round.ts';
import { References } from './world.ts';

const rounds = Number(process.env['BACKFILL_ROUNDS'] ?? 8);

describe('two processes that backfill the same parents, in opposite orders', () => {
  let db: References;
  let workers: ChildProcess[];
  beforeAll(async () => {
    db = await References.create();
    const { user, password, host, port, database } = db.target.parts;
    const [login, secret, path] = [user, password, database].map(encodeURIComponent);
    const url = `postgresql://${login}:${secret}@${host}:${port}/${path}`;
    workers = [0, 1].map((worker) =>
      fork(new URL('./round-worker.ts', import.meta.url), [url, String(worker)]),
    );
    await Promise.all(workers.map((worker) => once(worker, 'message')));
  });
  afterAll(async () => {
    await Promise.all(
      workers.map((worker) => {
        worker.disconnect();
        return once(worker, 'exit');
      }),
    );
    await db.drop();
  });

  test(`insert, fill and extend each parent once, ${rounds} times`, { timeout: 300_000 }, async () => {
    for (let round = 0; round < rounds; round++) {
      const done = await Promise.all(
        workers.map((worker) => backfill(worker, { round, what: 'everything' })),
      );

      expect(done.map(({ error }) => error)).toEqual([null, null]);
      const sum = (what: 'inserted' | 'updated' | 'skipped', target: number): number =>
        done.reduce((total, one) => total + (one[what][target] ?? Number.NaN), 0);
      // The second process adds to the plans of the first.
      expect([sum('inserted', 0), sum('updated', 0)]).toEqual([parentsOfRound, parentsOfRound]);
      expect([sum('inserted', 1), sum('updated', 1), sum('skipped', 1)]).toEqual([
        parentsOfRound,
        0,
        parentsOfRound,
      ]);
      expect([sum('inserted', 2), sum('updated', 2), sum('skipped', 2)]).toEqual([
        0,
        parentsOfRound,
        parentsOfRound,
      ]);
    }

    const stored = await db.plans();
    expect(stored).toHaveLength(rounds * parentsOfRound);
    expect(
      new Set(stored.map(({ tags }) => (Array.isArray(tags) ? tags.map(String).toSorted().join() : null))),
    ).toEqual(new Set(['w0,w1']));
    // Made as version 1, filled by one process, added to by the other.
    expect(new Set(stored.map(({ row_version }) => row_version))).toEqual(new Set([3]));
    expect(await db.portfolios()).toHaveLength(rounds * parentsOfRound);
  });

  test(`fill each once, ${rounds} times`, { timeout: 300_000 }, async () => {
    for (let round = 0; round < rounds; round++) {
      await db.empty();
      await db.execute(
        `insert into "Mixed ""Case"""."Pension plans" ("Plan") select '${round}-' || n from generate_series(0, ${parentsOfRound - 1}) n`,
      );

      const done = await Promise.all(workers.map((worker) => backfill(worker, { round, what: 'fill' })));

      expect(done.map(({ error }) => error)).toEqual([null, null]);
      expect(done.flatMap(({ updated }) => updated).reduce((total, one) => total + one)).toBe(parentsOfRound);
      expect(done.flatMap(({ skipped }) => skipped).reduce((total, one) => total + one)).toBe(parentsOfRound);
    }
    expect(new Set((await db.plans()).map(({ row_version }) => row_version))).toEqual(new Set([2]));
  });
});

async function backfill(worker: ChildProcess, request: RoundRequest): Promise<Round> {
  const answer = once(worker, 'message');
  worker.send(request);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the process sends
  const [done] = (await answer) as [Round];
  return done;
}
