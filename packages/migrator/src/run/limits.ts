import type { Step } from './step.ts';

/** How long things may take, in milliseconds. */
export interface Limits {
  readonly lockTimeout: number;
  /** How long a transaction is retried whose lock timed out. */
  readonly lockRetry: number;
  readonly statementTimeout: number;
}

/** Returns the statements that set a step's timeouts for its transaction. */
export function transactionTimeouts(limits: Limits, { migration: { settings } }: Step): string {
  const lock = settings.lockTimeout ?? limits.lockTimeout;
  const statement = settings.statementTimeout ?? limits.statementTimeout;
  return `set local lock_timeout = '${lock}ms'; set local statement_timeout = '${statement}ms'`;
}

/**
 * Returns the statements that set a step's timeouts for a separate connection. A statement outside a transaction blocks neither readers
 * nor writers while it waits or works, and may take long: it has timeouts only where its migration sets them.
 */
export function sessionTimeouts({ migration: { settings } }: Step): string {
  return `set lock_timeout = '${settings.lockTimeout ?? 0}ms'; set statement_timeout = '${settings.statementTimeout ?? 0}ms'`;
}
