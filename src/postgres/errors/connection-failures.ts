import { isNativeError } from 'node:util/types';
import { ConnectionError, ConnectionLostError } from '../../errors.ts';

const wrongPassword = 'the password is wrong, or the role does not exist';
const noDatabase = 'the database does not exist';
const noConnectionLeft = 'the server has no connection left';

// What one can tell who could not connect, by SQLSTATE.
const logins: Partial<Record<string, string>> = {
  '28P01': wrongPassword,
  '28000': 'the server does not let this role in',
  '3D000': noDatabase,
  '42501': 'the role may not connect to this database',
  '53300': noConnectionLeft,
  '57P03': 'the server is starting up or shutting down',
  '08P01': 'the server, or a pooler in front of it, refused how we connect',
  TARGET_SESSION_ATTRS: 'the server is not what target_session_attrs asks for',
};

// PgBouncer before 1.21 sends one code, 08P01, with whatever it refuses: only its text tells what that is. Later ones send the codes
// of PostgreSQL.
const poolerRefusals: readonly (readonly [text: RegExp, why: string])[] = [
  [/\b(?:password|SASL) authentication failed\b/, wrongPassword],
  [/\bempty password returned by client\b/, wrongPassword],
  [/\bno such database\b|\bdatabase ".*" does not exist\b/, noDatabase],
  [/\bno more connections allowed\b/, noConnectionLeft],
];

// By the operating system's code.
const sockets: Partial<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name could not be looked up',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
};

// By the same, of a unix socket: of a file, they are another matter.
const unixSockets: Partial<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  EACCES: 'this user may not use the socket',
};

const unverified = 'the certificate of the server is not signed by one that sslrootcert holds';

// By Node's code.
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

// With which a connection ends that was in use, by SQLSTATE.
const ends: Partial<Record<string, string>> = {
  '25P03': 'its transaction was idle for too long',
  '25P04': 'its transaction took too long',
  '57P01': 'the server ended it',
  '57P02': 'the server crashed',
  '57P04': 'the database was dropped',
  '57P05': 'it was idle for too long',
};

/** Of an answer that is none of the protocol's, or of a part of it that the driver does not know. */
export const unreadable = "the server sent what the driver can't read";
const withoutTls = 'The server does not support SSL connections';

// What the driver says without a code: while connecting, and of a connection in use.
const neverThere: ReadonlySet<string> = new Set([
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

/** An error met while connecting, as told from one of a connection in use. */
export type MetConnecting = Error & { readonly whileConnecting?: true };

/**
 * The `DataError` for an error that comes of having no connection, or of losing the one in use, and its message; null when it comes of
 * neither.
 */
export function connectionFailure(
  error: MetConnecting,
  code: string,
): readonly [typeof ConnectionError | typeof ConnectionLostError, string] | null {
  const failed = [ConnectionError, `Database connection failed: ${whyUnconnected(error, code)}`] as const;
  const lost = (why: string) =>
    [ConnectionLostError, `Database connection lost: ${told(why, code)}`] as const;
  if (error.whileConnecting || neverThere.has(error.message)) return failed;
  if (error.message === unreadable) return lost(unreadable);
  if (gone.has(error.message)) return lost('it was cut');
  // The ORM writes values into the statement, which U+0000 ends too early; the connection is none the worse for it.
  if ('routine' in error && error.routine === 'pq_getmsgend') return null;
  const end = ends[code] ?? (/^08\w{3}$/.test(code) ? 'it broke' : undefined);
  if (end !== undefined) return lost(end);
  const isInUse = 'syscall' in error && (error.syscall === 'read' || error.syscall === 'write');
  if (isInUse && code in sockets) return lost(sockets[code] ?? '');
  // A privilege that is lacking while connected is another matter.
  const known = code in sockets || code in logins || code in tls || isUnixSocket(error, code);
  return known && code !== '42501' ? failed : null;
}

/** Whether the pool had no connection to give in time. */
export function isPoolTimeout(error: unknown): boolean {
  return isNativeError(error) && error.message === 'timeout exceeded when trying to connect';
}

/** Why there is no connection, in words without a secret. */
export function whyUnconnected(error: unknown, code: string): string {
  const why = poolerRefusal(error, code) ?? logins[code] ?? sockets[code] ?? tls[code];
  if (why !== undefined) return told(why, code);
  if (isUnixSocket(error, code)) return told(unixSockets[code] ?? '', code);
  return told(inWords(error), code);
}

function poolerRefusal(error: unknown, code: string): string | undefined {
  if (code !== '08P01' || !isNativeError(error)) return undefined;
  return poolerRefusals.find(([text]) => text.test(error.message))?.[1];
}

function isUnixSocket(error: unknown, code: string): boolean {
  return code in unixSockets && isNativeError(error) && 'syscall' in error && error.syscall === 'connect';
}

function told(why: string, code: string): string {
  return code === '' ? why : `${why} (${code})`;
}

function inWords(error: unknown): string {
  if (!isNativeError(error)) return 'see the cause';
  if (/timeout|timed out/i.test(error.message)) return 'no answer in time';
  if (error.message.includes(withoutTls)) return 'the server has no TLS, which sslmode asks for';
  // The driver's own words, before it sends anything.
  if (/client password must be a/.test(error.message))
    return 'the server asks for a password, and there is none';
  if (error.message === unreadable) return unreadable;
  return gone.has(error.message) ? 'the connection was cut' : 'see the cause';
}
