/** Parents of a round. */
export const parentsOfRound = 1_000;

/** What a process does in one round. */
export interface RoundRequest {
  readonly round: number;
  /** Inserts, fills and extends plans and portfolios, or fills existing plans. */
  readonly what: 'everything' | 'fill';
}

/** The result of one round in one process. */
export interface Round {
  readonly inserted: readonly number[];
  readonly updated: readonly number[];
  readonly skipped: readonly number[];
  readonly error: string | null;
}
