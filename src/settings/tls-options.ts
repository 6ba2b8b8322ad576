import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PeerCertificate, SecureContext } from 'node:tls';
import type { SslMode } from './url-parameters.ts';

/** The TLS parameters of a connection. Files are paths. */
export interface TlsSettings {
  readonly mode: SslMode;
  /** The trusted root certificates; `system` for those of the machine. */
  readonly rootCert?: string | undefined;
  /** The client certificate, which needs `key`. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

type TlsParameter = 'sslmode' | 'sslrootcert' | 'sslcert' | 'sslkey';

type TlsFault = (parameter: TlsParameter, value: string, why: string) => never;

/** Returns Node's TLS, which is loaded with the first connection that uses it: most services and their servers share a network without it. */
const loadTls = () => process.getBuiltinModule('node:tls');

/** Options of Node's TLS. The certificate files are read; the private key is not a property that could be printed. */
export class TlsOptions {
  /** Whether to fall back to an unencrypted connection when the server has no TLS or the handshake fails. */
  readonly optional: boolean;
  readonly rejectUnauthorized: boolean;
  declare readonly secureContext: SecureContext;
  readonly checkServerIdentity: (name: string, certificate: PeerCertificate) => Error | undefined;

  constructor({ mode }: TlsSettings, host: string, secureContext: () => SecureContext, verifies: boolean) {
    this.optional = mode === 'prefer';
    this.rejectUnauthorized = verifies;
    let created: SecureContext | undefined;
    // An own property: the driver copies these options for each connection that uses them.
    Object.defineProperty(this, 'secureContext', {
      enumerable: true,
      get: () => (created ??= secureContext()),
    });
    // The driver omits the server name for an IP address, and Node would then compare with "localhost".
    this.checkServerIdentity = (_, certificate) =>
      mode === 'verify-full' ? loadTls().checkServerIdentity(host, certificate) : undefined;
  }

  /** Returns itself. The ORM deep-copies its options, and a copy of Node's secure context crashes the process. */
  clone(): this {
    return this;
  }
}

/**
 * Returns the TLS options for libpq's parameters; false for `disable` and for a unix socket. `prefer` encrypts when the server supports it,
 * `require` always, `verify-ca` also verifies the server's certificate, `verify-full` its name too. With a root certificate, `prefer` and
 * `require` verify the certificate as well. Calls `fail`, which throws, with the invalid parameter, its value and the reason.
 */
export function createTlsOptions(settings: TlsSettings, host: string, fail: TlsFault): TlsOptions | false {
  const { mode, rootCert, cert, key } = settings;
  if (mode === 'disable' || host.startsWith('/')) return false;
  const verifies = mode.startsWith('verify') || rootCert !== undefined;
  if (verifies && rootCert === undefined) {
    return fail(
      'sslmode',
      mode,
      'a root certificate is required; add sslrootcert=/path/ca.pem, or sslrootcert=system for the trust store of the machine',
    );
  }
  // A public authority issues a certificate to every owner of a domain.
  if (rootCert === 'system' && mode !== 'verify-full') {
    return fail('sslrootcert', rootCert, `it requires sslmode=verify-full, and sslmode is ${mode}`);
  }
  if ((cert === undefined) !== (key === undefined)) {
    const [parameter, given = ''] =
      cert === undefined ? (['sslkey', key] as const) : (['sslcert', cert] as const);
    const missing = cert === undefined ? 'sslcert' : 'sslkey';
    return fail(parameter, redactPath(given), `a client certificate needs its key; add ${missing}`);
  }
  const file = (name: TlsParameter, path: string): string => {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      return fail(name, redactPath(path), "the file can't be read");
    }
    // Node ignores content that is not PEM, and would connect without it.
    return text.includes('-----BEGIN') ? text : fail(name, redactPath(path), 'the file is not in PEM format');
  };
  const ca =
    rootCert === undefined
      ? undefined
      : rootCert === 'system'
        ? [...loadTls().getCACertificates('system'), ...loadTls().getCACertificates('extra')]
        : file('sslrootcert', rootCert);
  // Node would treat a file without certificates as an empty trust store.
  if (typeof ca === 'string' && !holdsCertificate(ca)) {
    return fail('sslrootcert', redactPath(rootCert ?? ''), 'the file has no valid certificate');
  }
  const trusted = ca && { ca };
  if (cert === undefined || key === undefined) {
    const trustedOnly = (): SecureContext => loadTls().createSecureContext({ ...trusted });
    if (!trusted) return new TlsOptions(settings, host, trustedOnly, verifies);
    // Created at once, so that a certificate that Node refuses is an error of the settings.
    const context = trustedOnly();
    return new TlsOptions(settings, host, () => context, verifies);
  }
  const own = { cert: file('sslcert', cert), key: file('sslkey', key) };
  let context: SecureContext;
  try {
    context = loadTls().createSecureContext({ ...trusted, ...own });
  } catch {
    return fail('sslcert', redactPath(cert), 'the file has no valid certificate, or sslkey is not its key');
  }
  return new TlsOptions(settings, host, () => context, verifies);
}

/** Returns a path for a message; "…" for what looks like a URL, which may contain a password. */
function redactPath(path: string): string {
  return /@|:\/\//.test(path) ? '…' : path;
}

function holdsCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
