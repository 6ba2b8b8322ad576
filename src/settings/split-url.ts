import { isIPv6 } from 'node:net';

/** The decoded parts of a URL. Its parameters are not validated yet. */
export interface UrlPieces {
  readonly user: string;
  readonly password: string;
  /** Empty when the URL has none; a parameter may give it. */
  readonly host: string;
  readonly port: string;
  readonly database: string;
  /** In the order of the URL. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** Driver suffixes that other stacks append to the scheme. They do not change the meaning of the URL. */
export const driverSuffixes = [
  'psycopg',
  'psycopg2',
  'psycopg2cffi',
  'psycopg_async',
  'asyncpg',
  'aiopg',
  'pg8000',
  'pygresql',
  'pypostgresql',
  'zxjdbc',
] as const;
const scheme = new RegExp(`^postgres(?:ql)?(?:\\+(?:${driverSuffixes.join('|')}))?$`, 'i');
const hostName = /^[\p{L}\p{N}._-]+$/u;
// U+0000 terminates a value in the protocol: what follows it would be another parameter.
const control = /\p{Cc}/u;

/**
 * Splits a PostgreSQL URL. The WHATWG parser does not serve: it drops tabs and line breaks, and takes the rest of an unencoded password
 * for a host. Calls `fail`, which throws, with the reason, which never contains a part of a user or a password.
 */
export function splitUrl(text: string, fail: (what: string) => never): UrlPieces {
  if (text.trim() === '') return fail('is empty');
  const [, given, rest] = /^([a-z][a-z0-9+._-]*):\/\/(.*)$/is.exec(text.trim()) ?? [];
  if (given === undefined || rest === undefined) return fail('is not a URL');
  if (!scheme.test(given)) return fail(`has the scheme "${given}"; expected postgres or postgresql`);
  if (control.test(rest)) return fail('has a control character; remove it, or percent-encode it');
  // Unencoded, these would end the host or the path early and send the rest of a password to another host.
  if (rest.includes('#')) return fail('has an unencoded "#"; write it as %23');
  const [beforeQuery, query] = cut(rest, '?');
  if (query?.includes('@')) {
    return fail(
      'has an unencoded "?" in user or password (write it as %3F) or "@" in a parameter (write it as %40)',
    );
  }
  const [authority, path = ''] = cut(beforeQuery, '/');
  if (path.includes('@')) {
    return fail(
      'has an unencoded "/" in user or password (write it as %2F) or "@" in the database (write it as %40)',
    );
  }
  if (path.includes('/')) return fail('has an unencoded "/" in the database; write it as %2F');
  const [credentials, place, ...more] = authority.includes('@') ? authority.split('@') : ['', authority];
  if (more.length > 0) return fail('has an unencoded "@" in user or password; write it as %40');
  const decode = (part: string, what: string): string => {
    let decoded: string;
    try {
      decoded = decodeURIComponent(part);
    } catch {
      return fail(`has a "%" in its ${what} that is not a valid escape; write it as %25`);
    }
    return decoded.includes('\0')
      ? fail(`has U+0000 in its ${what}, which PostgreSQL does not support; remove it`)
      : decoded;
  };
  const [user, password = ''] = cut(credentials ?? '', ':');
  const [host, port] = splitPlace(place ?? '', fail);
  return {
    user: decode(user, 'user') || fail('has no user'),
    password: decode(password, 'password'),
    host: validateHost(decode(host, 'host'), fail),
    port,
    database: decode(path, 'database'),
    parameters: (query ?? '')
      .split('&')
      .filter((parameter) => parameter !== '')
      .map((parameter) => {
        const [name, value] = cut(parameter, '=');
        // URLSearchParams would decode "+" as a space.
        return [decode(name, 'parameters'), decode(value ?? '', 'parameters')];
      }),
  };
}

/** Returns the host if it is a name, an address, the directory of a unix socket, or empty; calls `fail` otherwise. */
export function validateHost(host: string, fail: (what: string) => never): string {
  if (host.includes(',')) return fail(severalHosts);
  // The name first: Node takes 2.5 ms to compile its expression for IPv6 addresses, when it is called first.
  if (host === '' || host.startsWith('/') || hostName.test(host) || isIPv6(host)) return host;
  return fail(unreadable);
}

const severalHosts = 'has several hosts; give exactly one';
const unreadable =
  'can\'t be parsed; percent-encode "/", "?", "#", "@" and ":" in user and password, and write an IPv6 address in brackets';

/** Splits host and port; an IPv6 address is in brackets. */
function splitPlace(place: string, fail: (what: string) => never): [host: string, port: string] {
  if (place.includes(',')) return fail(severalHosts);
  const [, address, name, port = ''] = /^(?:\[([^[\]]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(place) ?? [];
  if (address !== undefined) return isIPv6(address.replace(/%25/, '%')) ? [address, port] : fail(unreadable);
  return name === undefined ? fail(unreadable) : [name, port];
}

function cut(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
