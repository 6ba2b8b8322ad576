/** Parents of a round. */
export const parentsOfRound = 1_000;

/** What a process is asked to do. */
export interface Asked {
  readonly round: number;
  /** Makes plans and portfolios and fills and adds to them, or fills plans that are there. */
  readonly what: 'everything' | 'fill';
}

/** What a process did in one round. */
export interface Round {
  readonly inserted: readonly number[];
  readonly updated: readonly number[];
  readonly skipped: readonly number[];
  readonly error: string | null;
}
