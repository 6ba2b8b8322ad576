import { MigrationRefusedError } from '../session/errors.ts';
import { describeDrift, type Difference } from '../catalog/differences.ts';

const most = 10;
const width = 78;

/** Returns a line for each of the first ten differences, and one with the number of the others. */
export function summarizeDrift(differing: readonly Difference[]): string[] {
  const lines = differing.slice(0, most).map(lineOf);
  const others = differing.length - most;
  return others > 0 ? [...lines, `and ${others} more`] : lines;
}

// Both values, where they fit.
function lineOf(difference: Difference): string {
  const { object, part, fact } = difference;
  const line = describeDrift(difference);
  if (line.length <= width || fact === null) return line;
  return `${part === null ? object : `${object}: ${part}`}: ${fact} changed`;
}

/** Returns the error of a run that refuses drift. */
export function driftRefusal(differences: readonly Difference[]): MigrationRefusedError {
  return new MigrationRefusedError(
    `the schema differs from what the last run left, and --refuse-drift (refuseDrift) is set; nothing was changed. Undo the changes, or ` +
      `accept them by a run without it:\n${summarizeDrift(differences)
        .map((line) => `  ${line}`)
        .join('\n')}`,
  );
}
