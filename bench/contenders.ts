import { Bench } from 'tinybench';
import { quantiles, type Quantiles } from './quantiles.ts';

/** One way to do a task. */
export interface Contender {
  readonly name: string;
  readonly run: () => Promise<unknown>;
}

/**
 * The time of a call, in milliseconds, and its ratio to the first contender: of the best round, which a busy machine disturbs least, and of the
 * median of the rounds. A round's time is the median of its calls.
 */
export interface Measured {
  readonly name: string;
  readonly ms: Quantiles;
  readonly ratio: Quantiles;
}

/**
 * Measures all in each round, so that a change of the machine's speed affects all; each round begins with another one. `reset` removes the
 * rows of a call, outside the measured time.
 */
export async function measure(
  contenders: readonly Contender[],
  reset: (() => Promise<unknown>) | undefined,
  { rounds, roundMs }: { readonly rounds: number; readonly roundMs: number },
): Promise<Measured[]> {
  const times = contenders.map((contender) => ({ ...contender, rounds: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    const first = round % times.length;
    for (const one of [...times.slice(first), ...times.slice(0, first)])
      one.rounds.push(await medianOf(one.run, reset, roundMs));
  }
  const [base] = times.map((one) => quantiles(one.rounds));
  return times.map(({ name, rounds: measured }) => {
    const ms = quantiles(measured);
    const ratio = { best: ms.best / (base?.best ?? 1), median: ms.median / (base?.median ?? 1) };
    return { name, ms, ratio };
  });
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
