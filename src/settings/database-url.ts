import { SettingsError } from '../errors.ts';
import { tlsOptions, type TlsOptions } from './tls.ts';

/** The parts of a `DatabaseTarget`. */
export interface DatabaseParts {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: TlsOptions | false;
  readonly applicationName: string | undefined;
  /** Seconds. */
  readonly connectTimeout: number | undefined;
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

  /** For messages: `user@host:port/database`. */
  get label(): string {
    const { user, host, port, database } = this.#parts;
    return `${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
  }

  /** The same server and role, another database. */
  withDatabase(database: string): DatabaseTarget {
    return new DatabaseTarget({ ...this.#parts, database });
  }
}

// What other stacks write; all of them mean PostgreSQL.
const scheme = /^postgres(?:ql)?(?:\+(?:psycopg2?|asyncpg|pg8000))?$/i;
const understood = new Set([
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'application_name',
  'connect_timeout',
]);

/**
 * Reads a PostgreSQL URL. `name` is where it came from (`DATABASE_URL`), for messages; no message holds the URL, since it may hold
 * a password.
 *
 * @throws SettingsError on another scheme, a part that is missing or ambiguous, or a parameter that would not be honoured.
 */
export function parseDatabaseUrl(text: string, name: string): DatabaseTarget {
  const example = `${name}=postgresql://user:password@host:5432/database`;
  const fail = (what: string): never => {
    throw new SettingsError(`${name} ${what}; for example ${example}`);
  };

  const [, given] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text.trim()) ?? fail('is not a URL');
  if (!given || !scheme.test(given)) return fail(`has the scheme "${given}", but only PostgreSQL is served`);
  const rest = text.trim().slice(given.length);
  // Raw, these would end the host or the path early and send the rest of a password somewhere else.
  if (rest.includes('#')) return fail('holds a raw "#": write it as %23');
  const [beforeQuery = '', ...query] = rest.split('?');
  if (beforeQuery.split('@').length > 2) return fail('holds a raw "@" in user or password: write it as %40');
  if (query.some((part) => part.includes('@')))
    return fail('holds a raw "?" in user or password: write it as %3F');
  let url: URL;
  try {
    // A scheme that the WHATWG parser knows nothing of keeps the case of the path and takes any port.
    url = new URL(`postgresql${rest}`);
  } catch {
    return fail(
      'can\'t be read: percent-encode "/", "?", "#", "@" and ":" in user and password, and give one host',
    );
  }
  if (url.hostname.includes(',')) return fail('names several hosts, but one is served');
  if (!url.hostname) return fail('names no host');
  const decode = (part: string, what: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return fail(`holds a "%" in its ${what} that is not an escape: write it as %25`);
    }
  };
  for (const key of url.searchParams.keys()) {
    if (understood.has(key)) continue;
    // Shown only if it looks like a name; anything else may be a piece of a secret.
    const shown = /^[a-z_]{1,40}$/.test(key) ? ` "${key}"` : '';
    return fail(`has a parameter${shown} that is not understood (${[...understood].join(', ')} are)`);
  }
  const user = decode(url.username, 'user');
  if (!user) return fail('names no user');
  const seconds = url.searchParams.get('connect_timeout');
  if (seconds !== null && !/^\d+$/.test(seconds))
    return fail('has a connect_timeout that is not a number of whole seconds');
  return new DatabaseTarget({
    host: decode(url.hostname.replace(/^\[(.*)\]$/, '$1'), 'host'),
    port: Number(url.port || 5432),
    user,
    password: decode(url.password, 'password'),
    database: decode(url.pathname.slice(1), 'path') || user,
    tls: tlsOptions(url.searchParams, name),
    applicationName: url.searchParams.get('application_name') ?? undefined,
    connectTimeout: seconds === null ? undefined : Number(seconds),
  });
}
