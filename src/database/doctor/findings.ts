/** The severity of a finding: a `warning` is to be fixed, a `note` is for information. */
export type Level = 'fine' | 'note' | 'warning';

/** The result of one check. */
export interface DoctorFinding {
  /** The subject: `server`, `tls`, `pooler`, `role`, `timeouts`, `connections`, `clock`, `schema`, `replica 1`. */
  readonly subject: string;
  readonly level: Level;
  /** One line, for people. */
  readonly message: string;
  /** For programs. */
  readonly facts: Readonly<Record<string, unknown>>;
}
