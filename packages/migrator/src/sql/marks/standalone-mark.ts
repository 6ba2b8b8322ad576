/** How a marked statement may be repeated. */
export interface StandaloneOptions {
  /** Whether it may be sent again after an interruption, when its outcome is unknown. Default false. */
  readonly idempotent?: boolean;
}

const mark = /^-- standalone( \(idempotent\))?\n/;

/** Returns a statement with the mark that it stands alone. Applied migrations contain it, so the mark must never change. */
export function markStandalone(sql: string, { idempotent = false }: StandaloneOptions): string {
  return `-- standalone${idempotent ? ' (idempotent)' : ''}\n${sql}`;
}

/** Returns the options of a marked statement; null for any other. */
export function standaloneOptions(sql: string): Required<StandaloneOptions> | null {
  const [found, idempotent] = mark.exec(sql) ?? [];
  return found === undefined ? null : { idempotent: idempotent !== undefined };
}
