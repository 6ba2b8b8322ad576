import { isNativeError } from 'node:util/types';
import { MigratorError, RefusedError } from './errors.ts';
import { sqlStateOf } from './sql-state.ts';

/**
 * Runs `work`, and adds a remedy to errors of missing privileges.
 *
 * @throws RefusedError for a role that lacks a privilege, and for a connection that is read-only.
 */
export async function withPermissionHint<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MigratorError) throw error;
    const remedy = remedies[sqlStateOf(error)];
    if (remedy === undefined || !isNativeError(error)) throw error;
    const detail = error.message.split('\n').at(-1) ?? '';
    throw new RefusedError(`${remedy} (${detail})`, { cause: error });
  }
}

const remedies: Readonly<Partial<Record<string, string>>> = {
  '25006': 'the connection is read-only: connect to the primary, as a role that may write',
  '42501': "the role lacks a privilege: connect as the owner of the schema and of the migrator's tables",
};
