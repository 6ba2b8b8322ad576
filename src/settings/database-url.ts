import { SettingsError } from '../errors.ts';
import { checkedHost, splitUrl } from './split-url.ts';
import { tlsOptions, type TlsOptions, type TlsSettings } from './tls.ts';
import { readParameters, type SessionAttributes, type SslMode } from './url-parameters.ts';

/** The parts of a `DatabaseTarget`. */
export interface DatabaseParts {
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Empty when there is none. */
  readonly password: string;
  readonly database: string;
  readonly tls: TlsSettings;
  readonly applicationName?: string | undefined;
  /** Seconds that making a connection may take; 0 for any number. */
  readonly connectTimeout?: number | undefined;
  /** What the server is told at the start of each session, such as `-c search_path=lab`. */
  readonly options?: string | undefined;
  readonly targetSessionAttrs?: SessionAttributes | undefined;
}

/** A PostgreSQL database and how to reach it. Printing or serialising it shows no password. */
export class DatabaseTarget {
  readonly #parts: DatabaseParts;

  constructor(parts: DatabaseParts) {
    this.#parts = parts;
  }

  /** Everything, the password included. */
  get parts(): DatabaseParts {
    return this.#parts;
  }

  /** What Node's TLS is told; false for a connection in clear text. Reads the certificates. */
  get tls(): TlsOptions | false {
    return tlsOptions(this.#parts.tls, this.#parts.host, (parameter, value, why) => {
      throw new SettingsError(`${this.label} has ${parameter}=${value}: ${why}`);
    });
  }

  /** For messages: `user@host:port/database`. */
  get label(): string {
    const { user, host, port, database } = this.#parts;
    return `${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
  }

  /** For people: the URL with `***` for the password. */
  get maskedUrl(): string {
    const { password, ...others } = this.#parts;
    const url = buildDatabaseUrl({ ...others, password: '' });
    return password === '' ? url : url.replace('@', ':***@');
  }

  /** The same server and role, another database. */
  withDatabase(database: string): DatabaseTarget {
    return new DatabaseTarget({ ...this.#parts, database });
  }
}

/** What holds for a URL that doesn't say. */
export interface UrlDefaults {
  readonly sslMode?: SslMode | undefined;
  readonly sslRootCert?: string | undefined;
  /** Throws where a default can't be used, rather than to blame the URL. */
  readonly fail?: (parameter: 'sslmode' | 'sslrootcert', value: string, why: string) => never;
}

/**
 * Reads a PostgreSQL URL. `name` is where it came from (`DATABASE_URL`), for messages; no message holds the URL, since it may hold
 * a password.
 *
 * @throws SettingsError on another scheme, a part that is missing or ambiguous, a parameter that would not be honoured, or a
 * certificate that can't be read.
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
  if (pieces.host !== '' && parameters.host !== undefined) return fail('names its host twice');
  if (pieces.port !== '' && parameters.port !== undefined) return fail('names its port twice');
  const host = pieces.host || checkedHost(parameters.host ?? '', fail) || fail('names no host');
  const port = pieces.port || parameters.port || '5432';
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    return fail('has a port that is not a number from 1 to 65535');
  }
  const rootCert = parameters.sslrootcert ?? defaults.sslRootCert;
  const tls: TlsSettings = {
    mode: parameters.sslmode ?? defaults.sslMode ?? (rootCert === 'system' ? 'verify-full' : 'prefer'),
    rootCert,
    cert: parameters.sslcert,
    key: parameters.sslkey,
  };
  tlsOptions(tls, host, (parameter, value, why) => {
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
 * The URL of a database, the password included; every part is percent-encoded. `parseDatabaseUrl` reads the same parts from it.
 *
 * @throws SettingsError when a part is no text that PostgreSQL could take.
 */
export function buildDatabaseUrl(parts: DatabaseParts): string {
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
  throw new SettingsError("a part of the URL holds U+0000 or half a character, which PostgreSQL can't take");
}
