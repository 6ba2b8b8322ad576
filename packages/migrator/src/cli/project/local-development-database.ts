import { BlockList, isIP } from 'node:net';

/** A database by its server and name. */
interface DatabaseIdentity {
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
  /** The database's name on the server. */
  readonly name: string;
}

const forDevelopment = /(?:^|[_-])(?:dev|development|test|local|scratch)(?:[_-]|$)/i;

/**
 * Whether a database is for development: on this machine, with `dev`, `development`, `test`, `local` or `scratch` as a part of its name
 * (`shop_dev`), or a name in `names`. Always false with `NODE_ENV=production`.
 */
export function isLocalDevelopmentDatabase(
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
