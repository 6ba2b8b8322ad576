import type { ClientBase } from 'pg';
import type { MetConnecting } from '../errors/connection-failures.ts';
import type { SessionAttributes } from '../../settings/url-parameters.ts';

/** A server that was reached is none of those that `target_session_attrs` asks for. */
class WrongServerError extends Error implements MetConnecting {
  /** As errors of the system have it, for whoever reports a connection that could not be made. */
  readonly code = 'TARGET_SESSION_ATTRS';
  /** The connection is dropped before anybody gets it. */
  readonly whileConnecting = true;
}

/** Whether `target_session_attrs` asks for a standby, or a server that may be one. */
export function acceptsStandby(wanted: SessionAttributes = 'any'): boolean {
  return wanted === 'standby' || wanted === 'prefer-standby' || wanted === 'read-only';
}

/**
 * What the pool does with each new connection: it makes sure that the server is one of those that were asked for, and gives it up
 * otherwise. With libpq's meaning; with one host, `prefer-standby` has nothing to prefer.
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
    if (!fits) throw new WrongServerError(`the server is not ${wanted}, which target_session_attrs asks for`);
  };
}
