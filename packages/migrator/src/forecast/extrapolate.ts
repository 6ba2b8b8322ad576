import type { MeasuredStatement } from '../measure/measurement.ts';
import type { ForecastStatement } from './forecast.ts';
import type { Sample } from './sampler.ts';

/**
 * Extrapolates statements from samples to all rows: what `few` takes does not depend on rows, and the difference to `many` grows with them.
 * Scans, rewrites, index builds and updates do so, measured from 10,000 to 5,000,000 rows.
 */
export function extrapolate({
  few,
  many,
  rows,
  transactional,
}: {
  readonly few: Sample;
  /** Of one share; empty where `few` has all rows. */
  readonly many: readonly Sample[];
  /** How many rows the largest table has. */
  readonly rows: number;
  readonly transactional: boolean;
}): ForecastStatement[] {
  const durations = few.statements.map((one) => durationOf(one, { few, many, rows }));
  return few.statements.map(({ statement, sql, locks }, index) => {
    const durationMs = durations[index] ?? 0;
    // A lock is released when its transaction ends.
    const rest = transactional ? durations.slice(index) : [durationMs];
    const heldMs = rounded(rest.reduce((sum, one) => sum + one, 0));
    return {
      statement,
      sql,
      durationMs: rounded(durationMs),
      locks: locksOf(statement, [few, ...many], locks).map(({ table, lock, blocks }) => ({
        table,
        lock,
        blocks,
        heldMs,
      })),
    };
  });
}

function durationOf(
  statement: MeasuredStatement,
  { few, many, rows }: { readonly few: Sample; readonly many: readonly Sample[]; readonly rows: number },
): number {
  const times = many.flatMap(({ statements, isInMemory }) =>
    statements
      .filter((one) => one.statement === statement.statement)
      .map(({ durationMs }) => ({ durationMs, isInMemory })),
  );
  if (times.length === 0) return statement.durationMs;
  // What else runs on the machine only adds time.
  const shortest = [true, false]
    .map((inMemory) => times.filter(({ isInMemory }) => isInMemory === inMemory))
    .filter((some) => some.length > 0)
    .map((some) => Math.min(...some.map(({ durationMs }) => durationMs)));
  const measured = shortest.reduce((sum, one) => sum + one, 0) / shortest.length;
  const [sample] = many;
  if (!sample || sample.share >= 1) return measured;
  const isBuilt = isIndexBuild(sample.messages.get(statement.statement) ?? []);
  // An index is sorted.
  const work = (share: number): number => (isBuilt ? share * Math.log2(Math.max(share * rows, 2)) : share);
  const growth = Math.max(0, measured - statement.durationMs) / (work(sample.share) - work(few.share));
  return measured + growth * (work(1) - work(sample.share));
}

/** Whether a statement mostly builds an index. A rewrite builds indexes too, and takes longer to write the rows. */
function isIndexBuild(messages: readonly string[]): boolean {
  return (
    messages.some((one) => one.startsWith('building index')) &&
    !messages.some((one) => one.startsWith('rewriting table'))
  );
}

/** Returns the locks of a statement in the sample where they were seen best: a short statement may end before its locks are read. */
function locksOf(
  statement: number,
  samples: readonly Sample[],
  otherwise: MeasuredStatement['locks'],
): MeasuredStatement['locks'] {
  const seen = samples.map(
    ({ statements }) => statements.find((one) => one.statement === statement)?.locks ?? [],
  );
  return seen.toSorted((one, other) => other.length - one.length)[0] ?? otherwise;
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
