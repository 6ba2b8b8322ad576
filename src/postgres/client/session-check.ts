import type { ClientBase } from 'pg';
import type { ConnectPhaseError } from '../errors/connection-failures.ts';
import type { SessionAttributes } from '../../settings/url-parameters.ts';

/** The server is not of the kind that `target_session_attrs` requires. */
class WrongServerError extends Error implements ConnectPhaseError {
  /** In place of a system error's code, to find the reason of the failed connection. */
  readonly code = 'TARGET_SESSION_ATTRS';
  /** The connection is dropped before it is used. */
  readonly whileConnecting = true;
}

/** Returns whether `target_session_attrs` accepts a standby. */
export function acceptsStandby(attributes: SessionAttributes = 'any'): boolean {
  return attributes === 'standby' || attributes === 'prefer-standby' || attributes === 'read-only';
}

/**
 * Returns a check for each new connection of the pool: the server must be of the kind that `target_session_attrs` requires, as in libpq.
 * With one host, `prefer-standby` is the same as `any`.
 *
 * @throws WrongServerError
 */
export function sessionCheck(attributes: SessionAttributes = 'any'): (client: ClientBase) => Promise<void> {
  return async (client) => {
    if (attributes === 'any' || attributes === 'prefer-standby') return;
    const { rows } = await client.query<{ standby: boolean; readOnly: boolean }>(
      `select pg_is_in_recovery() as standby, current_setting('default_transaction_read_only') = 'on' as "readOnly"`,
    );
    const [{ standby, readOnly } = { standby: false, readOnly: false }] = rows;
    const matches = {
      'read-write': !standby && !readOnly,
      'read-only': standby || readOnly,
      primary: !standby,
      standby,
    }[attributes];
    if (!matches)
      throw new WrongServerError(`the server is not "${attributes}", which target_session_attrs requires`);
  };
}
