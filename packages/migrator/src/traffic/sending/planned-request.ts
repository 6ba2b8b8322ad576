/** A statement of a generated request. */
export interface RequestStatement {
  readonly text: string;
  /** Texts, in the order of its parameters. The key of the request's row follows where it `usesKey`. */
  readonly values: readonly (string | null)[];
  readonly usesKey: boolean;
  /** Whether its first row is the key of the request's row. */
  readonly returnsKey: boolean;
}

/** A generated request: one statement, or several in a transaction. It leaves the rows as they were. */
export interface PlannedRequest {
  /** The number of its table in the catalog that it was made from. */
  readonly table: number;
  /** The column that distinguishes its row from a plain one; null for others. */
  readonly column: string | null;
  /** The same request with other rows: the first one that succeeds is sent. */
  readonly alternatives: readonly (readonly RequestStatement[])[];
}

/** Requests that failed in one way. */
export interface RequestFailure {
  /** The number of the request's table; for an author's request, its name. */
  readonly request: number | string;
  readonly column: string | null;
  /** The first word of the statement; empty for an author's request. */
  readonly statement: string;
  readonly error: FailedAnswer;
  readonly requests: number;
}

/** The server's error, without values of rows. */
export interface FailedAnswer {
  readonly state: string;
  readonly message: string;
  readonly schema: string | null;
  readonly table: string | null;
  readonly column: string | null;
  readonly constraint: string | null;
}

/** What a thread has counted. */
export interface TrafficCounts {
  readonly requests: number;
  readonly failed: number;
  readonly retried: Readonly<Record<string, number>>;
  /** The longest time of a statement, or of an author's request. */
  readonly worstStallMs: number;
  /** The longest time of a whole request, with its retry. */
  readonly slowestMs: number;
  readonly failures: readonly RequestFailure[];
}

/** How the sending thread connects: the options of the driver that can be passed to a thread. */
export type ConnectionSettings = Readonly<Record<string, unknown>>;

/** What the thread sends: requests of several connections, or those of an author's module. */
export type Traffic =
  | {
      readonly kind: 'generated';
      readonly connection: ConnectionSettings;
      /** The requests of each connection, which it sends in turn. */
      readonly lanes: readonly (readonly PlannedRequest[])[];
    }
  | { readonly kind: 'authors'; readonly module: string; readonly url: string; readonly clients: number };

/** An order to the thread. */
export type Order =
  /** Connects, and tries each request once. Before `up`, one that fails is not one of the code. */
  | { readonly kind: 'open'; readonly traffic: Traffic; readonly isBefore: boolean }
  | { readonly kind: 'start' }
  /** Waits until each request was sent once more. */
  | { readonly kind: 'pass' }
  /** Returns what was counted, and begins to count anew. */
  | { readonly kind: 'take' }
  /** Waits for the requests that were sent, disconnects, and returns what was counted. */
  | { readonly kind: 'close' };
