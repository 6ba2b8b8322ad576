/** How much a finding matters: `warning` is to be put right, `note` is to be known. */
export type Level = 'fine' | 'note' | 'warning';

/** One thing that was looked at. */
export interface DoctorFinding {
  /** What it is about: `server`, `tls`, `pooler`, `role`, `timeouts`, `connections`, `clock`, `schema`, `replica 1`. */
  readonly subject: string;
  readonly level: Level;
  /** For people, in a line. */
  readonly says: string;
  /** For programs. */
  readonly facts: Readonly<Record<string, unknown>>;
}
