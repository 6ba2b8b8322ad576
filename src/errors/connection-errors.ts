import { DataError } from './data-error.ts';

/** No connection could be made: the server was not reached, or refused the login. Nothing was sent. `cause` is the driver's error. */
export class ConnectionError extends DataError {
  readonly code = 'connection_failed';
}

/** A statement would change the session of a connection that a pooler shares among clients. Nothing was sent. */
export class PoolerError extends DataError {
  readonly code = 'not_through_pooler';

  constructor(reason: string) {
    super(`refused behind a pooler: ${reason}`);
  }
}

/** No connection of the pool became free within `pool.acquireTimeout`. Nothing was sent. */
export class PoolTimeoutError extends DataError {
  readonly code = 'pool_timeout';
}

/**
 * The connection was lost before the commit was sent: the server or a pooler closed it, the network failed, or the server did not answer
 * within `timeouts.answer`. The transaction was rolled back. `cause` is the driver's error.
 */
export class ConnectionLostError extends DataError {
  readonly code = 'connection_lost';
}

/**
 * The commit was sent, and no answer arrived: the transaction was either committed or rolled back. The connection was lost, the server
 * closed it (FATAL), it did not answer in time, or the unit of work was aborted (`signal`, `close`) and the answer did not arrive within a
 * second. `retries` does not apply: check whether the rows exist, or make `work` idempotent. `cause` is what happened instead of an answer.
 */
export class CommitUnknownError extends DataError {
  readonly code = 'commit_unknown';

  constructor(options?: ErrorOptions) {
    super(
      'the commit was sent, and its outcome is unknown: check whether the rows exist before you run the work again; see the cause',
      options,
    );
  }
}

/** The database was closed before the unit of work began, or before it ended. It was not committed. */
export class DatabaseClosedError extends DataError {
  readonly code = 'database_closed';
}
