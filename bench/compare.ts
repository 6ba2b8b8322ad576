import { measure } from './contenders.ts';
import type { Quantiles } from './quantiles.ts';

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

/** The times of a call, in milliseconds, and their ratio. */
export interface Comparison {
  readonly name: string;
  readonly oursMs: Quantiles;
  readonly driverMs: Quantiles;
  readonly ratio: Quantiles;
  readonly toReach: number;
}

/** Measures a workload by the driver and by this package. */
export async function compare(workload: Workload, rounds: number, roundMs: number): Promise<Comparison> {
  const { name, toReach, reset } = workload;
  const contenders = [
    { name: 'driver', run: workload.driver },
    { name: 'ours', run: workload.ours },
  ];
  const [driver, ours] = await measure(contenders, reset, { rounds, roundMs });
  if (!driver || !ours) throw new Error('nothing was measured');
  return { name, oursMs: ours.ms, driverMs: driver.ms, ratio: ours.ratio, toReach };
}
