import type { Difference } from '../catalog/differences.ts';
import type { SchemaDrift } from '../drift/find-drift.ts';
import { summarizeDrift } from '../drift/summarize-drift.ts';

/** Returns the lines that report a schema which differs from what the last run left. */
export function driftLines(differences: readonly Difference[]): string[] {
  return [
    'The schema differs from what the last run left:',
    ...summarizeDrift(differences).map((line) => `  ${line}`),
  ];
}

/** Returns a line on what could not be compared with what the last run left, and why; null when all was compared. */
export function driftNote({ unknown, notCompared }: SchemaDrift): string | null {
  if (unknown !== null) return `Drift is not known: ${unknown}.`;
  return notCompared === undefined ? null : `Drift is known in part, without ${notCompared}.`;
}
