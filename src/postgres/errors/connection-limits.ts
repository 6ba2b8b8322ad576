import { isNativeError } from 'node:util/types';
import { sqlStateOf } from './translate-error.ts';

/** The message of an error for which `isOutOfConnections` is true. */
export const noFreeConnection = 'the server, or a pooler in front of it, has no free connection';

// Poolers have no separate SQLSTATE: PgBouncer sends 08P01 for every refusal, Supavisor XX000.
const poolerMessages = [
  'no more connections allowed',
  'query_wait_timeout',
  'max_db_connections',
  'max_user_connections',
  'Max client connections reached',
  'max clients reached',
];

/** Returns whether `error` is from a server or a pooler that is alive and has no free connection. */
export function isOutOfConnections(error: unknown): boolean {
  if (sqlStateOf(error) === '53300') return true;
  for (let one = error; isNativeError(one); one = one.cause) {
    const { message } = one;
    if (poolerMessages.some((text) => message.includes(text))) return true;
  }
  return false;
}
