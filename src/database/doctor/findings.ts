/** The severity of a finding: a `warning` needs a correction, a `note` does not. */
export type Level = 'fine' | 'note' | 'warning';

/** The result of one check. */
export interface Finding {
  /** What it is about: `server`, `tls`, `pooler`, `role`, `timeouts`, `connections`, `clock`, `schema`, `replica 1`. */
  readonly subject: string;
  readonly level: Level;
  /** For people, in a line. */
  readonly says: string;
  /** For programs. */
  readonly facts: Readonly<Record<string, unknown>>;
}
