/** Parents of a round. */
export const parentsOfRound = 40;

/** What a process did in one round. */
export interface Round {
  readonly inserted: readonly number[];
  readonly updated: readonly number[];
  readonly skipped: readonly number[];
  readonly error: string | null;
}
