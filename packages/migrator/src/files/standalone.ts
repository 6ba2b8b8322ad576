import { MigrationRefusedError } from '../session/errors.ts';
import { parseSql } from '../sql/parse-sql.ts';
import { markStandalone, standaloneOptions, type StandaloneOptions } from '../sql/marks/standalone-mark.ts';

/**
 * Returns a statement marked to run outside a transaction, for `addSql` in a migration that is not transactional: such as a call of a
 * procedure that commits. Statements that PostgreSQL always runs outside a transaction need no mark. After an interruption the outcome
 * is unknown, so that `up` stops there, unless the statement is `idempotent`. Other tools send it as it is.
 *
 * @throws MigrationRefusedError when the statement is empty.
 */
export function standalone(sql: string, options: StandaloneOptions = {}): string {
  if (sql.trim() === '') throw new MigrationRefusedError('standalone: the statement is empty');
  return markStandalone(sql.trim(), options);
}

/** @throws MigrationRefusedError for a marked statement in a transactional migration, and for a mark on several statements. */
export async function refuseUnfitMark(name: string, transactional: boolean, sql: string): Promise<void> {
  if (standaloneOptions(sql) === null) return;
  if (transactional)
    throw new MigrationRefusedError(
      `${name} marks a statement as standing alone, and runs in one transaction: return false from its isTransactional()`,
    );
  // The server would run them in one transaction.
  if (((await parseSql(sql))?.length ?? 1) !== 1)
    throw new MigrationRefusedError(`${name} marks several statements as standing alone: mark each`);
}
