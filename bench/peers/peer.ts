/** The tasks of bench/workloads.ts, by their names. */
export type Task =
  | 'get one by key (read model)'
  | 'get one by key (managed)'
  | 'page of 50 with total and summary flags'
  | '500 outcomes of an analysis (JSON in each)'
  | 'insert one in a transaction'
  | 'insert 5,000 outcomes'
  | 'load 500, change 200, commit (managed)'
  | 'change 200 of 500 by one set-based call';

/** A library that does the same tasks on the same database, with a pool of the same size. */
export interface Peer {
  readonly name: string;
  readonly tasks: Partial<Record<Task, () => Promise<unknown>>>;
  /** Where it does not do the same work, and what it lacks. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** The database of a run. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly max: number;
}
