import type { Direction } from '../files/code-migration.ts';
import type { DirectionTraffic, TrafficFailure } from '../verify/traffic-report.ts';
import type { TrafficCounts } from './sending/planned-request.ts';

/** How much longer than the lock timeout a request may wait: for the work under the lock. */
const allowance = 100;

/** Returns what threads have counted for a direction. `failures` are those of any direction. */
export function directionTraffic(
  direction: Direction,
  counted: readonly TrafficCounts[],
  { failures, lockTimeout }: { readonly failures: readonly TrafficFailure[]; readonly lockTimeout: number },
): DirectionTraffic {
  const ofRequests = failures.filter(({ during, code }) => during === direction && code !== 'migration');
  const requestsOf = (some: readonly TrafficFailure[]): number => sum(some.map(({ requests }) => requests));
  const retried: Record<string, number> = {};
  for (const one of counted)
    for (const [state, count] of Object.entries(one.retried)) retried[state] = (retried[state] ?? 0) + count;
  return {
    requests: sum(counted.map(({ requests }) => requests)),
    failed: requestsOf(ofRequests.filter(({ declared }) => declared === null)),
    refused: requestsOf(ofRequests.filter(({ declared }) => declared !== null)),
    retried,
    worstStallMs: Math.round(Math.max(0, ...counted.map(({ worstStallMs }) => worstStallMs))),
    slowestMs: Math.round(Math.max(0, ...counted.map(({ slowestMs }) => slowestMs))),
    stallLimitMs: lockTimeout + allowance,
  };
}

/** Returns the sum of what two kinds of traffic have counted. */
export function addTraffic(one: DirectionTraffic, other: DirectionTraffic): DirectionTraffic {
  const states = new Set([...Object.keys(one.retried), ...Object.keys(other.retried)]);
  return {
    requests: one.requests + other.requests,
    failed: one.failed + other.failed,
    refused: one.refused + other.refused,
    retried: Object.fromEntries(
      [...states].map((state) => [state, (one.retried[state] ?? 0) + (other.retried[state] ?? 0)]),
    ),
    worstStallMs: Math.max(one.worstStallMs, other.worstStallMs),
    slowestMs: Math.max(one.slowestMs, other.slowestMs),
    stallLimitMs: one.stallLimitMs,
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, one) => total + one, 0);
}
