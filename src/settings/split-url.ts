import { isIPv6 } from 'node:net';

/** The parts of a URL, decoded; nothing is known of the parameters yet. */
export interface UrlPieces {
  readonly user: string;
  readonly password: string;
  /** Empty when it is left to a parameter. */
  readonly host: string;
  readonly port: string;
  readonly database: string;
  /** In the order in which they stand. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

// Drivers that other stacks name behind the scheme; all of them speak PostgreSQL's protocol to the host of the URL.
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
// U+0000 would end a value early on its way to the server, and begin another one.
const control = /\p{Cc}/u;

/**
 * Takes a PostgreSQL URL apart. By hand: the WHATWG parser drops tabs and line breaks, and reads a host out of what an unencoded
 * password leaves over. `fail` is told what is wrong; what it is told never holds a part of a user or a password.
 */
export function splitUrl(text: string, fail: (what: string) => never): UrlPieces {
  if (text.trim() === '') return fail('is empty');
  const [, given, rest] = /^([a-z][a-z0-9+._-]*):\/\/(.*)$/is.exec(text.trim()) ?? [];
  if (given === undefined || rest === undefined) return fail('is not a URL');
  if (!scheme.test(given)) return fail(`has the scheme "${given}", but only PostgreSQL is served`);
  if (control.test(rest)) return fail('holds a control character: leave it out, or percent-encode it');
  // Raw, these would end the host or the path early and send the rest of a password somewhere else.
  if (rest.includes('#')) return fail('holds a raw "#": write it as %23');
  const [beforeQuery, query] = cut(rest, '?');
  if (query?.includes('@')) {
    return fail(
      'holds a raw "?" in user or password (write it as %3F), or a raw "@" in a parameter (write it as %40)',
    );
  }
  const [authority, path = ''] = cut(beforeQuery, '/');
  if (path.includes('@')) {
    return fail(
      'holds a raw "/" in user or password (write it as %2F), or a raw "@" in its database (write it as %40)',
    );
  }
  if (path.includes('/')) return fail('holds a raw "/" in its database: write it as %2F');
  const [credentials, place, ...more] = authority.includes('@') ? authority.split('@') : ['', authority];
  if (more.length > 0) return fail('holds a raw "@" in user or password: write it as %40');
  const decode = (part: string, what: string): string => {
    let decoded: string;
    try {
      decoded = decodeURIComponent(part);
    } catch {
      return fail(`holds a "%" in its ${what} that is not an escape: write it as %25`);
    }
    return decoded.includes('\0')
      ? fail(`holds U+0000 in its ${what}, which PostgreSQL can't take`)
      : decoded;
  };
  const [user, password = ''] = cut(credentials ?? '', ':');
  const [host, port] = splitPlace(place ?? '', fail);
  return {
    user: decode(user, 'user') || fail('names no user'),
    password: decode(password, 'password'),
    host: checkedHost(decode(host, 'host'), fail),
    port,
    database: decode(path, 'database'),
    parameters: (query ?? '')
      .split('&')
      .filter((parameter) => parameter !== '')
      .map((parameter) => {
        const [name, value] = cut(parameter, '=');
        // Not by URLSearchParams, which takes "+" for a space.
        return [decode(name, 'parameters'), decode(value ?? '', 'parameters')];
      }),
  };
}

/** The host as it was given, when it is one: a name, an address, the directory of a unix socket, or nothing. */
export function checkedHost(host: string, fail: (what: string) => never): string {
  if (host.includes(',')) return fail('names several hosts, but one is served');
  if (host === '' || host.startsWith('/') || isIPv6(host) || hostName.test(host)) return host;
  return fail(unreadable);
}

const unreadable =
  'can\'t be read: percent-encode "/", "?", "#", "@" and ":" in user and password, and give one host, an IPv6 address in brackets';

/** Host and port; an IPv6 address comes in brackets. */
function splitPlace(place: string, fail: (what: string) => never): [host: string, port: string] {
  if (place.includes(',')) return fail('names several hosts, but one is served');
  const [, address, name, port = ''] = /^(?:\[([^[\]]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(place) ?? [];
  if (address !== undefined) return isIPv6(address.replace(/%25/, '%')) ? [address, port] : fail(unreadable);
  return name === undefined ? fail(unreadable) : [name, port];
}

function cut(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
