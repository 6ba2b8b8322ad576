import { isNativeError } from 'node:util/types';
import { sqlStateOf } from './translate-error.ts';

/** What such an error means, in words. */
export const noneLeft = 'the server, or a pooler in front of it, has no connection left';

// Poolers have no SQLSTATE of their own for it: PgBouncer says all that it refuses as 08P01, Supavisor as XX000.
const poolersSay = [
  'no more connections allowed',
  'query_wait_timeout',
  'max_db_connections',
  'max_user_connections',
  'Max client connections reached',
  'max clients reached',
];

/** Whether `error` came from a server or a pooler that is alive, and has no connection left to give. */
export function isOutOfConnections(error: unknown): boolean {
  if (sqlStateOf(error) === '53300') return true;
  for (let one = error; isNativeError(one); one = one.cause) {
    const { message } = one;
    if (poolersSay.some((text) => message.includes(text))) return true;
  }
  return false;
}
