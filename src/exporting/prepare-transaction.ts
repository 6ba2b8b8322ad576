import type { EntityManager } from '@mikro-orm/postgresql';

/**
 * Prepares the transaction of `em` for an export: the text of values does not depend on what the role or the database sets, an export may take any
 * time, and PostgreSQL refuses a query from which a row-level policy would hide rows.
 */
export async function prepareTransaction(em: EntityManager): Promise<void> {
  await em.execute(
    `select set_config(name, value, true) from (values
       ('datestyle', 'ISO, YMD'), ('timezone', 'UTC'), ('extra_float_digits', '1'), ('row_security', 'off'),
       ('statement_timeout', '0'), ('transaction_timeout', '0'), ('idle_in_transaction_session_timeout', '0')) setting (name, value)
     where current_setting(name, true) is not null`,
  );
}
