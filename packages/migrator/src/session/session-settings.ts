import type { Session } from './session.ts';

interface Before {
  /** JSON: values by names. */
  readonly settings: string;
  readonly role: string;
}

/**
 * Does a migration's work in the transaction of `session`, where no time is set by the role or the database for a transaction as a
 * whole, and brings back what it set, the role too, when it succeeds: by `set` without `local`, as dumps have it, it would hold for
 * whatever gets that connection next, and a later migration would do something else when it is run together with this one.
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
  // The same as `set_config`, which whoever guards a pooler's connections refuses, not knowing that it brings back.
  await session.query(
    `update pg_settings set setting = coalesce($1::jsonb->>name, reset_val)
     where source = 'session' and context in ('user', 'superuser') and setting is distinct from coalesce($1::jsonb->>name, reset_val)`,
    [before?.settings],
  );
}

/** Takes away what a role or a database says of how long a transaction or a session may take: for the transaction, or for good. */
export async function disableTransactionTimeouts(
  session: Session,
  scope: 'local' | 'session',
): Promise<void> {
  await session.query(
    `select set_config(name, '0', ${scope === 'local'}) from pg_settings
     where name in ('transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout') and setting <> '0'`,
  );
}
