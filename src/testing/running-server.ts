/** A PostgreSQL server that a run of a test suite uses, and how to leave it. */
export interface RunningServer {
  readonly kind: 'given' | 'container' | 'embedded';
  readonly url: string;
  /** For people: where the server comes from. */
  readonly origin: string;
  /** Gives back what was started for the run; a given server goes on. */
  stop(): Promise<void>;
}

/** Data of a test need not outlive a crash, and not waiting for the disk makes a run several times as fast. */
export const fragileSettings: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
};
