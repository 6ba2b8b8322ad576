/** Identifies an error of the embedded server. */
export type EmbeddedPostgresErrorCode =
  /** Neither macOS nor Linux, a processor without binaries, or a Linux without the program `flock`. */
  | 'unsupported_platform'
  /** No PostgreSQL binaries are installed, and no major version was requested. */
  | 'binaries_missing'
  /** The binaries of a major could not be downloaded. */
  | 'fetch_failed'
  /** The cluster was created by another major version than the requested one. */
  | 'wrong_major'
  /** The caller is root, and there is no user to run PostgreSQL as; or the caller's user id has no name. */
  | 'no_server_user'
  /** This user can't read, write or lock the directory or its cluster. */
  | 'directory_unusable'
  /** The cluster could not be created. Nothing of the attempt remains. */
  | 'init_failed'
  /** A server that this process can't see uses the cluster, such as one in another container. */
  | 'in_use'
  /** The server did not start, or not in time. */
  | 'start_failed'
  /** The server did not stop, or not in time. */
  | 'stop_failed';

/** The embedded PostgreSQL is not available. The message names the remedy if there is one; `cause` is the error of the system or program. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
