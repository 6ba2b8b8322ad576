import { describePrecheck } from '../prechecks/describe.ts';
import type { Precheck } from '../prechecks/rows/precheck.ts';
import { dim } from './output.ts';

/** Returns the lines on what was counted before a run: how many checks passed, and each that is unknown. Refused ones are in the error. */
export function precheckLines(prechecks: readonly Precheck[]): string[] {
  const of = (outcome: Precheck['outcome']): readonly Precheck[] =>
    prechecks.filter((one) => one.outcome === outcome);
  const counts = (['passed', 'refused', 'unknown'] as const).flatMap((outcome) => {
    const count = of(outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  if (counts.length === 0) return [];
  return [
    `  prechecks: ${counts.join(', ')}`,
    ...of('unknown').map((one) => dim(`    ${describePrecheck(one)}`)),
  ];
}
