import { Bench } from 'tinybench';

/** One task, done by this package and by the driver with hand-written SQL. */
export interface Workload {
  readonly name: string;
  /** The largest acceptable ratio to the driver. */
  readonly toReach: number;
  readonly ours: () => Promise<unknown>;
  readonly driver: () => Promise<unknown>;
  /** Removes the rows of a run, outside the measured time. */
  readonly reset?: () => Promise<unknown>;
}

/** The medians of the best rounds, in milliseconds, and their ratio. */
export interface Comparison {
  readonly name: string;
  readonly oursMs: number;
  readonly driverMs: number;
  readonly ratio: number;
  readonly toReach: number;
}

/**
 * Measures both in alternating rounds, so that a change of the machine's speed affects both, and compares the best round of each.
 */
export async function compare(workload: Workload, rounds: number, roundMs: number): Promise<Comparison> {
  const best = { ours: Number.POSITIVE_INFINITY, driver: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round++) {
    const sides = round % 2 === 0 ? (['driver', 'ours'] as const) : (['ours', 'driver'] as const);
    for (const side of sides) {
      best[side] = Math.min(best[side], await medianOf(workload[side], workload.reset, roundMs));
    }
  }
  return {
    name: workload.name,
    oursMs: best.ours,
    driverMs: best.driver,
    ratio: best.ours / best.driver,
    toReach: workload.toReach,
  };
}

async function medianOf(
  work: () => Promise<unknown>,
  reset: (() => Promise<unknown>) | undefined,
  roundMs: number,
): Promise<number> {
  const bench = new Bench({
    time: roundMs,
    warmupTime: roundMs / 4,
    iterations: 5,
    warmupIterations: 2,
    throws: true,
  });
  bench.add('work', async () => void (await work()), { afterEach: async () => void (await reset?.()) });
  const [task] = await bench.run();
  if (task?.result.state !== 'completed') throw new Error('the workload did not run to its end');
  return task.result.latency.p50;
}
