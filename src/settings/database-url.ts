import { SettingsError } from '../errors.ts';
import { splitUrl, validateHost } from './split-url.ts';
import { createTlsOptions, type TlsOptions, type TlsSettings } from './tls-options.ts';
import { readParameters, type SessionAttributes, type SslMode } from './url-parameters.ts';

/** The parts of a `DatabaseTarget`. */
export interface TargetParts {
  /** A host name, an IP address, or the directory of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Empty without a password. */
  readonly password: string;
  readonly database: string;
  readonly tls: TlsSettings;
  readonly applicationName?: string | undefined;
  /** Timeout of a connection attempt in seconds; 0 for no limit. */
  readonly connectTimeout?: number | undefined;
  /** Settings of each session, such as `-c search_path=lab`. */
  readonly options?: string | undefined;
  readonly targetSessionAttrs?: SessionAttributes | undefined;
}

/** A PostgreSQL database and how to connect to it. Printing or serializing it never shows the password. */
export class DatabaseTarget {
  readonly #parts: TargetParts;

  constructor(parts: TargetParts) {
    this.#parts = parts;
  }

  /** All parts, including the password. */
  get parts(): TargetParts {
    return this.#parts;
  }

  /** The TLS options, for which the certificate files are read; false for an unencrypted connection. */
  get tls(): TlsOptions | false {
    return createTlsOptions(this.#parts.tls, this.#parts.host, (parameter, value, why) => {
      throw new SettingsError(`${this.label} has ${parameter}=${value}: ${why}`);
    });
  }

  /** `user@host:port/database`, for messages. */
  get label(): string {
    const { user, host, port, database } = this.#parts;
    return `${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
  }

  /** The URL with `***` in place of the password, for display. */
  get maskedUrl(): string {
    const { password, ...others } = this.#parts;
    const url = buildDatabaseUrl({ ...others, password: '' });
    return password === '' ? url : url.replace('@', ':***@');
  }

  /** Returns the target of another database on the same server, with the same role. */
  withDatabase(database: string): DatabaseTarget {
    return new DatabaseTarget({ ...this.#parts, database });
  }
}

/** Defaults for parameters that a URL leaves out. */
export interface UrlDefaults {
  readonly sslMode?: SslMode | undefined;
  readonly sslRootCert?: string | undefined;
  /** Throws for an invalid default. Without it, the error names the URL. */
  readonly fail?: (parameter: 'sslmode' | 'sslrootcert', value: string, why: string) => never;
}

/**
 * Parses a PostgreSQL URL. `name` is its source (`DATABASE_URL`), for messages, which never contain the URL, since it may have a password.
 *
 * @throws SettingsError for another scheme, a missing or ambiguous part, an unsupported parameter, or a certificate that can't be read.
 */
export function parseDatabaseUrl(text: string, name: string, defaults: UrlDefaults = {}): DatabaseTarget {
  const example = name.replace(/(?: .*)?(?:\[\d+\])?$/, '');
  const fail = (what: string): never => {
    throw new SettingsError(
      `${name} ${what}; for example ${example}=postgresql://user:password@host:5432/database`,
    );
  };
  const pieces = splitUrl(text, fail);
  const { parameters, problems } = readParameters(pieces.parameters);
  if (problems.length > 0) throw new SettingsError(problems.map((problem) => `${name} ${problem}`));
  if (pieces.host !== '' && parameters.host !== undefined)
    return fail('has two hosts; remove the parameter host');
  if (pieces.port !== '' && parameters.port !== undefined)
    return fail('has two ports; remove the parameter port');
  const host = pieces.host || validateHost(parameters.host ?? '', fail) || fail('has no host');
  const port = pieces.port || parameters.port || '5432';
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    return fail('has an invalid port; expected a number from 1 to 65535');
  }
  const rootCert = parameters.sslrootcert ?? defaults.sslRootCert;
  const tls: TlsSettings = {
    mode: parameters.sslmode ?? defaults.sslMode ?? (rootCert === 'system' ? 'verify-full' : 'prefer'),
    rootCert,
    cert: parameters.sslcert,
    key: parameters.sslkey,
  };
  createTlsOptions(tls, host, (parameter, value, why) => {
    const isDefault = (parameter === 'sslmode' || parameter === 'sslrootcert') && !parameters[parameter];
    return isDefault && defaults.fail
      ? defaults.fail(parameter, value, why)
      : fail(`has ${parameter}=${value}: ${why}`);
  });
  return new DatabaseTarget({
    host,
    port: Number(port),
    user: pieces.user,
    password: pieces.password,
    database: pieces.database || pieces.user,
    tls,
    applicationName: parameters.application_name,
    connectTimeout: parameters.connect_timeout,
    options: parameters.options,
    targetSessionAttrs: parameters.target_session_attrs,
  });
}

/**
 * Returns the URL of a database, including the password, percent-encoded. `parseDatabaseUrl` returns the same parts (round trip).
 *
 * @throws SettingsError when a part has U+0000 or an unpaired surrogate, which PostgreSQL does not support.
 */
export function buildDatabaseUrl(parts: TargetParts): string {
  const { host, port, user, password, database, tls } = parts;
  const credentials = password === '' ? encode(user) : `${encode(user)}:${encode(password)}`;
  const place = host.includes(':') && !host.startsWith('/') ? `[${host.replace('%', '%25')}]` : encode(host);
  const parameters = Object.entries({
    sslmode: tls.mode,
    sslrootcert: tls.rootCert,
    sslcert: tls.cert,
    sslkey: tls.key,
    application_name: parts.applicationName,
    connect_timeout: parts.connectTimeout,
    options: parts.options,
    target_session_attrs: parts.targetSessionAttrs,
  }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encode(value)}`]));
  return `postgresql://${credentials}@${place}:${port}/${encode(database)}?${parameters.join('&')}`;
}

function encode(value: string | number): string {
  const text = String(value);
  if (text.isWellFormed() && !text.includes('\0')) return encodeURIComponent(text);
  throw new SettingsError(
    'a part of the URL has U+0000 or an unpaired surrogate, which PostgreSQL does not support; remove it',
  );
}
