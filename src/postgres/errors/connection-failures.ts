import { isNativeError } from 'node:util/types';
import { ConnectionError, ConnectionLostError } from '../../errors.ts';

const wrongPassword = 'the password is wrong, or the role does not exist';
const unknownDatabase = 'the database does not exist';
const noConnectionLeft = 'the server has no free connection';

// The reasons of failed logins, by SQLSTATE.
const loginReasons: Partial<Record<string, string>> = {
  '28P01': wrongPassword,
  '28000': 'the server does not allow this role to log in',
  '3D000': unknownDatabase,
  '42501': 'the role may not connect to this database',
  '53300': noConnectionLeft,
  '57P03': 'the server is starting up or shutting down',
  '08P01': 'the server, or a pooler in front of it, refused the options of the connection',
  TARGET_SESSION_ATTRS: 'the server is not of the kind that target_session_attrs requires',
};

// PgBouncer before 1.21 sends the code 08P01 for every refusal; only the message differs. Later versions send PostgreSQL's codes.
const poolerRefusals: readonly (readonly [text: RegExp, reason: string])[] = [
  [/\b(?:password|SASL) authentication failed\b/, wrongPassword],
  [/\bempty password returned by client\b/, wrongPassword],
  [/\bno such database\b|\bdatabase ".*" does not exist\b/, unknownDatabase],
  [/\bno more connections allowed\b/, noConnectionLeft],
];

// By the operating system's error code.
const socketReasons: Partial<Record<string, string>> = {
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
const unixSocketReasons: Partial<Record<string, string>> = {
  ENOENT: 'the socket does not exist',
  EACCES: 'this user has no access to the socket',
};

const unverifiedCertificate = 'the certificate of the server is not signed by a certificate of sslrootcert';

// By Node's error code.
const tlsReasons: Partial<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: unverifiedCertificate,
  DEPTH_ZERO_SELF_SIGNED_CERT: unverifiedCertificate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unverifiedCertificate,
  UNABLE_TO_GET_ISSUER_CERT: unverifiedCertificate,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unverifiedCertificate,
  CERT_SIGNATURE_FAILURE: unverifiedCertificate,
  CERT_HAS_EXPIRED: 'the certificate of the server has expired',
  CERT_NOT_YET_VALID: 'the certificate of the server is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server is for another host',
  EPROTO: 'the TLS handshake failed',
};

// The reasons for the end of a connection in use, by SQLSTATE.
const lossReasons: Partial<Record<string, string>> = {
  '25P03': 'its transaction was idle for too long',
  '25P04': 'its transaction took too long',
  '57P01': 'the server closed it',
  '57P02': 'the server crashed',
  '57P04': 'the database was dropped',
  '57P05': 'it was idle for too long',
};

/** The message for an answer outside the protocol, or one that the driver does not support. */
export const unreadableAnswer = "the server sent what the driver can't read";
const withoutTls = 'The server does not support SSL connections';

// Messages of the driver's errors without a code: while connecting, and of a connection in use.
const connectMessages: ReadonlySet<string> = new Set([
  'timeout expired',
  'Connection terminated due to connection timeout',
  'Client network socket disconnected before secure TLS connection was established',
  'Cannot use a pool after calling end on the pool',
  withoutTls,
]);
const lostMessages: ReadonlySet<string> = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
]);

/** An error of the driver. `whileConnecting` marks one that was thrown before the connection was in use. */
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
  const lost = (reason: string) =>
    [ConnectionLostError, `Database connection lost: ${withCode(reason, code)}`] as const;
  if (error.whileConnecting || connectMessages.has(error.message)) return failed;
  if (error.message === unreadableAnswer) return lost(unreadableAnswer);
  if (lostMessages.has(error.message)) return lost('it was cut');
  // U+0000 in a value ends the statement too early, where the value is in its text; the connection is still usable.
  if ('routine' in error && error.routine === 'pq_getmsgend') return null;
  const end = lossReasons[code] ?? (/^08\w{3}$/.test(code) ? 'it broke' : undefined);
  if (end !== undefined) return lost(end);
  const isInUse = 'syscall' in error && (error.syscall === 'read' || error.syscall === 'write');
  if (isInUse && code in socketReasons) return lost(socketReasons[code] ?? '');
  // 42501 on an open connection is a missing privilege on an object.
  const known =
    code in socketReasons || code in loginReasons || code in tlsReasons || isUnixSocket(error, code);
  return known && code !== '42501' ? failed : null;
}

/** Returns whether the pool had no free connection in time. */
export function isPoolTimeout(error: unknown): boolean {
  return isNativeError(error) && error.message === 'timeout exceeded when trying to connect';
}

/** Returns the reason of a failed connection, without secrets. */
export function connectionFailureReason(error: unknown, code: string): string {
  const reason = poolerRefusal(error, code) ?? loginReasons[code] ?? socketReasons[code] ?? tlsReasons[code];
  if (reason !== undefined) return withCode(reason, code);
  if (isUnixSocket(error, code)) return withCode(unixSocketReasons[code] ?? '', code);
  return withCode(reasonFromMessage(error), code);
}

function poolerRefusal(error: unknown, code: string): string | undefined {
  if (code !== '08P01' || !isNativeError(error)) return undefined;
  return poolerRefusals.find(([text]) => text.test(error.message))?.[1];
}

function isUnixSocket(error: unknown, code: string): boolean {
  return (
    code in unixSocketReasons && isNativeError(error) && 'syscall' in error && error.syscall === 'connect'
  );
}

function withCode(reason: string, code: string): string {
  return code === '' ? reason : `${reason} (${code})`;
}

function reasonFromMessage(error: unknown): string {
  if (!isNativeError(error)) return 'see the cause';
  if (/timeout|timed out/i.test(error.message)) return 'no answer in time';
  if (error.message.includes(withoutTls)) return 'the server has no TLS, which sslmode requires';
  // A message of the driver, before it sends anything.
  if (/client password must be a/.test(error.message))
    return 'the server asks for a password, and none is configured';
  if (error.message === unreadableAnswer) return unreadableAnswer;
  return lostMessages.has(error.message) ? 'the connection was cut' : 'see the cause';
}
