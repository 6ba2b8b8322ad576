import type { Session } from './session.ts';

interface Before {
  /** JSON: values by names. */
  readonly settings: string;
  readonly role: string;
}

/**
 * Runs a migration's work in the transaction of `session`, without transaction timeouts of the role or the database, and restores the
 * settings and the role that it changed when it succeeds: `set` without `local`, as in dumps, would otherwise affect the next user of
 * the connection, such as a later migration.
 */
export async function withSettingsRestored(session: Session, work: () => Promise<void>): Promise<void> {
  const [before] = await session.query<Before>(
    `select coalesce(jsonb_object_agg(name, setting), '{}')::text as settings, current_setting('role') as role
     from pg_settings where source = 'session'`,
  );
  await disableTransactionTimeouts(session, 'local');
  await work();
  const [after] = await session.query<{ role: string }>(`select current_setting('role') as role`);
  if (after?.role !== before?.role)
    await session.query(`select set_config('role', $1, false)`, [before?.role]);
  // Equivalent to `set_config`, which guards of pooled connections refuse.
  await session.query(
    `update pg_settings set setting = coalesce($1::jsonb->>name, reset_val)
     where source = 'session' and context in ('user', 'superuser') and setting is distinct from coalesce($1::jsonb->>name, reset_val)`,
    [before?.settings],
  );
}

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
