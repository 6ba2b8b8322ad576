import type { Session } from './session.ts';

/** Disables timeouts of transactions and sessions that the role or the database sets, for the transaction or the session. */
export async function disableTransactionTimeouts(
  session: Session,
  scope: 'local' | 'session',
): Promise<void> {
  // By name: reading all settings takes a millisecond, for each statement of a migration. An older server has not all of them.
  await session.query(
    `select set_config(name, '0', ${scope === 'local'})
     from unnest(array['transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout']) name
     where current_setting(name, true) <> '0'`,
  );
}
