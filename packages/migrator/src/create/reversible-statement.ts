/** A statement and the one that undoes it. */
export interface ReversibleStatement {
  readonly up: string;
  readonly down: string;
}
