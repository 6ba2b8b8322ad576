/** The least of some measured times, and their median. */
export interface Quantiles {
  readonly best: number;
  readonly median: number;
}

/** Returns the least and the median of `values`; NaN for none. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  return { best: sorted[0] ?? Number.NaN, median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN };
}
