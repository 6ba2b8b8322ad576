import type { ClientBase } from 'pg';
import type { ConnectPhaseError } from '../errors/connection-failures.ts';
import type { SessionAttributes } from '../../settings/url-parameters.ts';

/** The server is not of the kind that `target_session_attrs` asks for. */
class WrongServerError extends Error implements ConnectPhaseError {
  /** Like the code of a system error, for the report of a failed connection. */
  readonly code = 'TARGET_SESSION_ATTRS';
  /** The connection is dropped before it is used. */
  readonly whileConnecting = true;
}

/** Returns whether `target_session_attrs` accepts a standby. */
export function acceptsStandby(wanted: SessionAttributes = 'any'): boolean {
  return wanted === 'standby' || wanted === 'prefer-standby' || wanted === 'read-only';
}

/**
 * Returns the check of each new connection of the pool: that the server is of the kind that `target_session_attrs` asks for, with libpq's
 * meaning. With one host, `prefer-standby` is the same as `any`.
 *
 * @throws WrongServerError
 */
export function sessionCheck(wanted: SessionAttributes = 'any'): (client: ClientBase) => Promise<void> {
  return async (client) => {
    if (wanted === 'any' || wanted === 'prefer-standby') return;
    const { rows } = await client.query<{ standby: boolean; reads: boolean }>(
      `select pg_is_in_recovery() as standby, current_setting('default_transaction_read_only') = 'on' as reads`,
    );
    const [{ standby, reads } = { standby: false, reads: false }] = rows;
    const fits = {
      'read-write': !standby && !reads,
      'read-only': standby || reads,
      primary: !standby,
      standby,
    }[wanted];
    if (!fits)
      throw new WrongServerError(`the server is not "${wanted}", which target_session_attrs asks for`);
  };
}
