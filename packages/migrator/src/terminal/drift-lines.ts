import type { Difference } from '../catalog/differences.ts';
import { summarizeDrift } from '../drift/summarize-drift.ts';

/** Returns the lines that report a schema which differs from what the last run left. */
export function driftLines(differences: readonly Difference[]): string[] {
  return [
    'The schema differs from what the last run left:',
    ...summarizeDrift(differences).map((line) => `  ${line}`),
  ];
}
