/** Why a statement can't be sent in a mode: what the error contains, and what the documentation says about it. */
interface Reason {
  readonly code: 'refused' | 'failed';
  readonly message: RegExp;
  readonly why: string;
  readonly remedy: string;
}

const reasons = {
  outside: {
    code: 'failed',
    message: /25001.*Return false from its isTransactional\(\)/s,
    why: 'PostgreSQL runs it only outside transactions',
    remedy: 'let `isTransactional()` return false',
  },
  rows: {
    code: 'refused',
    message: /rows of the database would make a migration fail/,
    why: 'rows that are there would make it fail, and are counted before a run',
    remedy: 'correct the rows that the query of the message lists',
  },
  inside: {
    code: 'failed',
    message: /25P01/,
    why: 'PostgreSQL runs it only in a transaction',
    remedy: 'remove the mark',
  },
  commits: {
    code: 'failed',
    message: /2D000.*Return false from its isTransactional\(\)/s,
    why: 'it ends the transaction in which it runs',
    remedy: 'let `isTransactional()` return false',
  },
  unmarked: {
    code: 'failed',
    message: /(?:2D000|25001).*mark it: this\.addSql\(standalone/s,
    why: 'its text does not say that it needs to run outside a transaction',
    remedy: 'mark it: `standalone(…)`',
  },
  control: {
    code: 'refused',
    message: /begins and ends its transactions: remove that statement/,
    why: 'the migrator begins and ends transactions, and chooses their isolation level',
    remedy: 'remove it',
  },
  lasting: {
    code: 'refused',
    message: /(?:into the session for good|prepared statements of others): remove it|remove it, /,
    why: "its effect on the session can't be undone",
    remedy: 'remove it',
  },
  input: {
    code: 'failed',
    message: /57014|42601/,
    why: 'its rows are not SQL: a client sends them, as `psql` does',
    remedy: 'use `insert`, or `copy … from` a file of the server',
  },
} as const satisfies Record<string, Reason>;

export type RefusalReason = keyof typeof reasons;

/** The reasons by their keys. */
export const refusalReasons: Readonly<Record<RefusalReason, Reason>> = reasons;
