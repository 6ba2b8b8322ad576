import { BlockList, isIP } from 'node:net';

/** A database, as far as its name and server go. */
interface DatabaseIdentity {
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
  /** The database's name, as the server has it. */
  readonly name: string;
}

const forDevelopment = /(?:^|[_-])(?:dev|development|test|local|scratch)(?:[_-]|$)/i;

/**
 * Whether a database is one for development: one on this machine whose name has `dev`, `test`, `local` or `scratch` in it (`shop_dev`) or
 * is one of `names`. With `NODE_ENV=production` none is.
 */
export function isDevelopmentDatabase(
  { host, name }: DatabaseIdentity,
  environment: NodeJS.Dict<string>,
  names: readonly string[] = [],
): boolean {
  if (environment['NODE_ENV']?.trim().toLowerCase() === 'production') return false;
  return isThisMachine(host) && (forDevelopment.test(name) || names.includes(name));
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isThisMachine(host: string): boolean {
  // The directory of a unix socket, or one in Linux's abstract namespace.
  if (host.startsWith('/') || host.startsWith('@')) return true;
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(address);
  if (family !== 0) return loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
  // RFC 6761: these never leave the machine.
  return /^(?:.+\.)?localhost\.?$/i.test(host);
}
