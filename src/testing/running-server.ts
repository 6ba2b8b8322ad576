/** The PostgreSQL server of a run, and how to stop it. */
export interface RunningServer {
  readonly kind: 'given' | 'container' | 'embedded';
  readonly url: string;
  /** Describes where the server comes from, for display. */
  readonly origin: string;
  /** Stops the server; a no-op for a given one. */
  stop(): Promise<void>;
}

/** Settings without durability: the data of tests need not survive a crash, and a run is several times faster. */
export const nonDurableSettings: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
};
