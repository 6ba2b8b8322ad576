import { MigrationRefusedError } from '../session/errors.ts';
import { findLastingEffect } from '../sql/find-lasting-effect.ts';
import { findTransactionControl } from '../sql/find-transaction-control.ts';
import { refuseTransactionalBackfill } from './backfill.ts';
import { refuseUnfitMark } from './standalone.ts';
import type { LoadedMigration } from './code-migration.ts';

/**
 * Refuses statements that the migrator can't run, before any of them is sent.
 *
 * @throws MigrationRefusedError when one begins or ends a transaction, or has an effect on the session that can't be undone; and for a
 * backfill, or a statement that is marked to stand alone, in a transactional migration.
 */
export async function refuseUnfitStatements(
  { name, transactional }: Pick<LoadedMigration, 'name' | 'transactional'>,
  statements: readonly string[],
): Promise<void> {
  if (transactional) refuseTransactionalBackfill(name, statements);
  for (const sql of statements) {
    await refuseUnfitMark(name, transactional, sql);
    const control = await findTransactionControl(sql);
    if (control !== null) {
      throw new MigrationRefusedError(
        `${name} sends "${control}", but the migrator begins and ends its transactions: remove that statement`,
      );
    }
    const lasting = await findLastingEffect(sql);
    if (lasting !== null)
      throw new MigrationRefusedError(`${name} sends "${lasting.text}", ${lasting.reason}`);
  }
}
