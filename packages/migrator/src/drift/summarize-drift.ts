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
