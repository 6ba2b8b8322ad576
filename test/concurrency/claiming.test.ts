import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/index.ts';
import { TestDatabase, anAnalysisRun } from '../../src/testing/index.ts';
import { openWithPool, concurrently } from './concurrently.ts';

describe('claiming analysis runs, by fifty workers on four connections', () => {
  let db: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    database = await openWithPool(db, 4);
  });
  afterAll(async () => {
    await database.close();
    await db.drop();
  });

  const pending = (count: number): Promise<string[]> =>
    db.transact(async ({ em }) => Array.from({ length: count }, () => anAnalysisRun(em).id));

  const claim = (): Promise<string | null> =>
    database.transact(async ({ analysisRuns }) => {
      const run = await analysisRuns.lockNextPending();
      if (run) run.status = 'running';
      return run?.id ?? null;
    });

  test('gives each of five hundred runs to one worker', async () => {
    const runs = await pending(500);

    const claimed = (await concurrently(50, () => worker(claim))).flat();

    expect(claimed.toSorted()).toEqual(runs.toSorted());
  });

  test('gives a run again after its worker failed', async () => {
    const runs = await pending(40);
    const failed = new Set<string>();

    /** Fails with each run that it claims first. Claims runs until one succeeds, or no run is left. */
    const claimOrFail = async (): Promise<string | null> => {
      for (;;) {
        const done = await database
          .transact(async ({ analysisRuns }) => {
            const run = await analysisRuns.lockNextPending();
            if (!run) return null;
            run.status = 'completed';
            if (failed.has(run.id)) return run.id;
            failed.add(run.id);
            throw new Error('fails the first time');
          })
          .catch(() => 'failed');
        if (done !== 'failed') return done;
      }
    };

    const finished = await concurrently(10, () => worker(claimOrFail));

    // A worker that asked while others held the last runs found none. They are claimed after their release.
    finished.push(await worker(claim));
    expect(failed).toEqual(new Set(runs));
    expect(finished.flat().toSorted()).toEqual(runs.toSorted());
  });
});

/** Claims until no run is left. */
async function worker(claimNext: () => Promise<string | null>): Promise<string[]> {
  const claimed: string[] = [];
  for (let id = await claimNext(); id !== null; id = await claimNext()) claimed.push(id);
  return claimed;
}
