import { isNativeError } from 'node:util/types';
import { MigratorError, MigrationRefusedError } from './errors.ts';
import { findSqlState } from './find-sql-state.ts';

/**
 * Runs `work`, and adds a remedy to errors of missing privileges.
 *
 * @throws MigrationRefusedError for a role that lacks a privilege, and for a connection that is read-only.
 */
export async function withPermissionHint<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MigratorError) throw error;
    const remedy = remedies[findSqlState(error)];
    if (remedy === undefined || !isNativeError(error)) throw error;
    const detail = error.message.split('\n').at(-1) ?? '';
    throw new MigrationRefusedError(`${remedy} (${detail})`, { cause: error });
  }
}

const remedies: Readonly<Partial<Record<string, string>>> = {
  '25006': 'the connection is read-only: connect to the primary, as a role that may write',
  '42501': "the role lacks a privilege: connect as the owner of the schema and of the migrator's tables",
};
