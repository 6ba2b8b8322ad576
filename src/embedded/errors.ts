/** What went wrong, for callers that act on it. */
export type EmbeddedPostgresErrorCode =
  /** Not macOS or Linux, a processor that no binaries are built for, or a Linux without the program `flock`. */
  | 'unsupported_platform'
  /** No PostgreSQL binaries here, and none were asked for by major. */
  | 'binaries_missing'
  /** The binaries of a major could not be downloaded. */
  | 'fetch_failed'
  /** The cluster was made by another major than the one wanted. */
  | 'wrong_major'
  /** Run as root, on a machine without a user that PostgreSQL could run as; or by a user id without a name. */
  | 'no_server_user'
  /** The directory, or the cluster in it, cannot be read, written or locked by this user. */
  | 'directory_unusable'
  /** The cluster could not be made. Nothing of the attempt is left. */
  | 'init_failed'
  /** The cluster is in use by a server that cannot be seen from here, such as one in another container. */
  | 'in_use'
  /** The server did not start, or not in time. */
  | 'start_failed'
  /** The server did not stop, or not in time. */
  | 'stop_failed';

/**
 * The embedded PostgreSQL could not be had. The message names the remedy where there is one; `cause` holds what the
 * system or the program said.
 */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
