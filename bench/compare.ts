import { Bench } from 'tinybench';
import { quantiles, type Quantiles } from './quantiles.ts';

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

/** The time of a call, in milliseconds: of the best round, and of the median of the rounds. A round's time is the median of its calls. */
export interface Comparison {
  readonly name: string;
  readonly oursMs: Quantiles;
  readonly driverMs: Quantiles;
  readonly ratio: Quantiles;
  readonly toReach: number;
}

/**
 * Measures both in alternating rounds, so that a change of the machine's speed affects both. Compares the best round of each, which a busy
 * machine disturbs least, and the medians of the rounds.
 */
export async function compare(workload: Workload, rounds: number, roundMs: number): Promise<Comparison> {
  const times: Record<'ours' | 'driver', number[]> = { ours: [], driver: [] };
  for (let round = 0; round < rounds; round++) {
    const sides = round % 2 === 0 ? (['driver', 'ours'] as const) : (['ours', 'driver'] as const);
    for (const side of sides) times[side].push(await medianOf(workload[side], workload.reset, roundMs));
  }
  const [oursMs, driverMs] = [quantiles(times.ours), quantiles(times.driver)];
  return {
    name: workload.name,
    oursMs,
    driverMs,
    ratio: { best: oursMs.best / driverMs.best, median: oursMs.median / driverMs.median },
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
