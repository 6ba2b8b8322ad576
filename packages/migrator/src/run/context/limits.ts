import type { Step } from './step.ts';

/** Timeouts, in milliseconds. */
export interface Limits {
  readonly lockTimeout: number;
  /** For how long a transaction is retried after a lock timeout. */
  readonly lockRetry: number;
  readonly statementTimeout: number;
}

/** Returns for how long a step's transaction waits for locks; 0 for no limit. */
export function lockTimeoutOf(limits: Limits, { migration: { settings } }: Step): number {
  return settings.lockTimeout ?? limits.lockTimeout;
}

/** Returns the statements that set a step's timeouts for its transaction. */
export function transactionTimeouts(limits: Limits, step: Step): string {
  const statement = step.migration.settings.statementTimeout ?? limits.statementTimeout;
  return `set local lock_timeout = '${lockTimeoutOf(limits, step)}ms'; set local statement_timeout = '${statement}ms'`;
}

/**
 * Returns the statements that set a step's timeouts for a separate connection. A statement outside a transaction blocks neither readers
 * nor writers, and may take long. So it has timeouts only if its migration sets them.
 */
export function sessionTimeouts({ migration: { settings } }: Step): string {
  return `set lock_timeout = '${settings.lockTimeout ?? 0}ms'; set statement_timeout = '${settings.statementTimeout ?? 0}ms'`;
}
