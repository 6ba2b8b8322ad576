import type { Session } from './session.ts';

/** Disables timeouts of transactions and sessions that the role or the database sets, for the transaction or the session. */
export async function disableTransactionTimeouts(
  session: Session,
  scope: 'local' | 'session',
): Promise<void> {
  await session.query(
    `select set_config(name, '0', ${scope === 'local'}) from pg_settings
     where name in ('transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout') and setting <> '0'`,
  );
}
