import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls';
import type { SslMode } from './url-parameters.ts';

/** What is asked of a connection's encryption. Files are named by their paths. */
export interface TlsSettings {
  readonly mode: SslMode;
  /** The certificates that may vouch for the server; `system` for those that the machine trusts. */
  readonly rootCert?: string | undefined;
  /** Ours, for a server that asks for it, with its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** What of a URL is about its encryption. */
type TlsParameter = 'sslmode' | 'sslrootcert' | 'sslcert' | 'sslkey';

type TlsFault = (parameter: TlsParameter, value: string, why: string) => never;

/** What Node's TLS is told. The files were read: no key is in it to be printed. */
export class TlsOptions {
  /** Whether to go on in clear text where the server has no TLS, or the handshake fails. */
  readonly optional: boolean;
  readonly rejectUnauthorized: boolean;
  readonly secureContext: SecureContext;
  readonly checkServerIdentity: (name: string, certificate: PeerCertificate) => Error | undefined;

  constructor({ mode }: TlsSettings, host: string, secureContext: SecureContext, verifies: boolean) {
    this.optional = mode === 'prefer';
    this.rejectUnauthorized = verifies;
    this.secureContext = secureContext;
    // Node would compare with "localhost" where the driver leaves the name out, as it does for an address.
    this.checkServerIdentity = (_, certificate) =>
      mode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined;
  }

  /** The ORM copies its options deeply, unless they know better; a copy of a context of Node's ends the process. */
  clone(): this {
    return this;
  }
}

/**
 * TLS as libpq's parameters ask for it; false when they ask for none, and for a unix socket. `prefer` encrypts where the server can,
 * `require` always, `verify-ca` verifies the server's certificate, `verify-full` its name too. A root certificate makes `prefer`
 * and `require` verify the certificate as well. `fail` gets the parameter that is wrong, its value, and why; it throws.
 */
export function tlsOptions(tls: TlsSettings, host: string, fail: TlsFault): TlsOptions | false {
  const { mode, rootCert, cert, key } = tls;
  if (mode === 'disable' || host.startsWith('/')) return false;
  const verifies = mode.startsWith('verify') || rootCert !== undefined;
  if (verifies && rootCert === undefined) {
    return fail(
      'sslmode',
      mode,
      'there is no root certificate: add sslrootcert=/path/ca.pem, or sslrootcert=system for what the machine trusts',
    );
  }
  // Anybody can have a certificate of a public authority, for a name of their own.
  if (rootCert === 'system' && mode !== 'verify-full') {
    return fail('sslrootcert', rootCert, `with it sslmode has to be verify-full, and is ${mode}`);
  }
  if ((cert === undefined) !== (key === undefined)) {
    const [parameter, given = ''] =
      cert === undefined ? (['sslkey', key] as const) : (['sslcert', cert] as const);
    return fail(parameter, shownPath(given), 'a certificate needs its key, and the other way round');
  }
  const file = (name: TlsParameter, path: string): string => {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      return fail(name, shownPath(path), "the file can't be read");
    }
    // Node passes over what it does not know, and would go on without.
    return text.includes('-----BEGIN')
      ? text
      : fail(name, shownPath(path), 'the file holds nothing in PEM format');
  };
  const ca =
    rootCert === undefined
      ? undefined
      : rootCert === 'system'
        ? [...getCACertificates('system'), ...getCACertificates('extra')]
        : file('sslrootcert', rootCert);
  // Node would take no certificate for none that may vouch.
  if (typeof ca === 'string' && !holdsCertificate(ca)) {
    return fail('sslrootcert', shownPath(rootCert ?? ''), 'the file holds no certificate');
  }
  const trusted = ca && { ca };
  if (cert === undefined || key === undefined) {
    return new TlsOptions(tls, host, createSecureContext({ ...trusted }), verifies);
  }
  const own = { cert: file('sslcert', cert), key: file('sslkey', key) };
  let context: SecureContext;
  try {
    context = createSecureContext({ ...trusted, ...own });
  } catch {
    return fail('sslcert', shownPath(cert), 'the file holds no certificate, or sslkey is not the key to it');
  }
  return new TlsOptions(tls, host, context, verifies);
}

/** A path as a message may show it: not what looks like a URL, which may hold a password. */
function shownPath(path: string): string {
  return /@|:\/\//.test(path) ? '…' : path;
}

function holdsCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
