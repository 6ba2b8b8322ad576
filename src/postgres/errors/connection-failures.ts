import { isNativeError } from 'node:util/types';
import { ConnectionError, ConnectionLostError } from '../../errors.ts';

const wrongPassword = 'the password is wrong, or the role does not exist';
const noDatabase = 'the database does not exist';
const noConnectionLeft = 'the server has no free connection';

// The reasons of failed logins, by SQLSTATE.
const logins: Partial<Record<string, string>> = {
  '28P01': wrongPassword,
  '28000': 'the server does not allow this role to log in',
  '3D000': noDatabase,
  '42501': 'the role may not connect to this database',
  '53300': noConnectionLeft,
  '57P03': 'the server is starting up or shutting down',
  '08P01': 'the server, or a pooler in front of it, refused the options of the connection',
  TARGET_SESSION_ATTRS: 'the server is not what target_session_attrs asks for',
};

// PgBouncer before 1.21 sends the code 08P01 for every refusal; only the message differs. Later versions send PostgreSQL's codes.
const poolerRefusals: readonly (readonly [text: RegExp, why: string])[] = [
  [/\b(?:password|SASL) authentication failed\b/, wrongPassword],
  [/\bempty password returned by client\b/, wrongPassword],
  [/\bno such database\b|\bdatabase ".*" does not exist\b/, noDatabase],
  [/\bno more connections allowed\b/, noConnectionLeft],
];

// By the operating system's error code.
const sockets: Partial<Record<string, string>> = {
  ECONNREFUSED: 'no server is listening on this host and port',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name could not be looked up',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
};

// The same for a unix socket only: for files, they have another meaning.
const unixSockets: Partial<Record<string, string>> = {
  ENOENT: 'the socket does not exist',
  EACCES: 'this user has no access to the socket',
};

const unverified = 'the certificate of the server is not signed by a certificate of sslrootcert';

// By Node's error code.
const tls: Partial<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: unverified,
  DEPTH_ZERO_SELF_SIGNED_CERT: unverified,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unverified,
  UNABLE_TO_GET_ISSUER_CERT: unverified,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unverified,
  CERT_SIGNATURE_FAILURE: unverified,
  CERT_HAS_EXPIRED: 'the certificate of the server has expired',
  CERT_NOT_YET_VALID: 'the certificate of the server is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server is for another host',
  EPROTO: 'the TLS handshake failed',
};

// The reasons for the end of a connection in use, by SQLSTATE.
const ends: Partial<Record<string, string>> = {
  '25P03': 'its transaction was idle for too long',
  '25P04': 'its transaction took too long',
  '57P01': 'the server closed it',
  '57P02': 'the server crashed',
  '57P04': 'the database was dropped',
  '57P05': 'it was idle for too long',
};

/** The message for an answer outside the protocol, or one that the driver does not support. */
export const unreadable = "the server sent what the driver can't read";
const withoutTls = 'The server does not support SSL connections';

// Messages of the driver without a code: while connecting, and of a connection in use.
const connectMessages: ReadonlySet<string> = new Set([
  'timeout expired',
  'Connection terminated due to connection timeout',
  'Client network socket disconnected before secure TLS connection was established',
  'Cannot use a pool after calling end on the pool',
  withoutTls,
]);
const gone: ReadonlySet<string> = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
]);

/** An error that may be marked as one of connecting. */
export type ConnectPhaseError = Error & { readonly whileConnecting?: true };

/**
 * Returns the class and the message of the `DataError` for a failed or a lost connection; null for any other error.
 */
export function connectionFailure(
  error: ConnectPhaseError,
  code: string,
): readonly [typeof ConnectionError | typeof ConnectionLostError, string] | null {
  const failed = [
    ConnectionError,
    `Database connection failed: ${connectionFailureReason(error, code)}`,
  ] as const;
  const lost = (why: string) =>
    [ConnectionLostError, `Database connection lost: ${withCode(why, code)}`] as const;
  if (error.whileConnecting || connectMessages.has(error.message)) return failed;
  if (error.message === unreadable) return lost(unreadable);
  if (gone.has(error.message)) return lost('it was cut');
  // U+0000 in a value ends the statement too early, since the ORM writes values into it; the connection is still usable.
  if ('routine' in error && error.routine === 'pq_getmsgend') return null;
  const end = ends[code] ?? (/^08\w{3}$/.test(code) ? 'it broke' : undefined);
  if (end !== undefined) return lost(end);
  const isInUse = 'syscall' in error && (error.syscall === 'read' || error.syscall === 'write');
  if (isInUse && code in sockets) return lost(sockets[code] ?? '');
  // 42501 on an open connection is a missing privilege on an object.
  const known = code in sockets || code in logins || code in tls || isUnixSocket(error, code);
  return known && code !== '42501' ? failed : null;
}

/** Returns whether the pool had no free connection in time. */
export function isPoolTimeout(error: unknown): boolean {
  return isNativeError(error) && error.message === 'timeout exceeded when trying to connect';
}

/** Returns the reason of a failed connection, without secrets. */
export function connectionFailureReason(error: unknown, code: string): string {
  const why = poolerRefusal(error, code) ?? logins[code] ?? sockets[code] ?? tls[code];
  if (why !== undefined) return withCode(why, code);
  if (isUnixSocket(error, code)) return withCode(unixSockets[code] ?? '', code);
  return withCode(inWords(error), code);
}

function poolerRefusal(error: unknown, code: string): string | undefined {
  if (code !== '08P01' || !isNativeError(error)) return undefined;
  return poolerRefusals.find(([text]) => text.test(error.message))?.[1];
}

function isUnixSocket(error: unknown, code: string): boolean {
  return code in unixSockets && isNativeError(error) && 'syscall' in error && error.syscall === 'connect';
}

function withCode(why: string, code: string): string {
  return code === '' ? why : `${why} (${code})`;
}

function inWords(error: unknown): string {
  if (!isNativeError(error)) return 'see the cause';
  if (/timeout|timed out/i.test(error.message)) return 'no answer in time';
  if (error.message.includes(withoutTls)) return 'the server has no TLS, which sslmode requires';
  // A message of the driver, before it sends anything.
  if (/client password must be a/.test(error.message))
    return 'the server asks for a password, and none is configured';
  if (error.message === unreadable) return unreadable;
  return gone.has(error.message) ? 'the connection was cut' : 'see the cause';
}
