import { BlockList, isIP } from 'node:net';

/** The properties that decide whether a database is one for development. */
export interface DatabaseIdentity {
  /** Whether it is the embedded database of the project. */
  readonly embedded: boolean;
  /** A host name, an IP address, or the directory of a unix socket. */
  readonly host: string;
  /** The name of the database on the server. */
  readonly name: string;
}

const developmentName = /(?:^|[_-])(?:dev|development|test|local|scratch)(?:[_-]|$)/i;

/**
 * Whether a database is one for development: the embedded one, or one on this machine that has a development name (`shop_dev`, `test`) or
 * the name in docker-compose.yml. Always false with `NODE_ENV=production`.
 */
export function isDevelopmentDatabase(
  { embedded, host, name }: DatabaseIdentity,
  environment: NodeJS.Dict<string>,
): boolean {
  if (environment['NODE_ENV']?.trim().toLowerCase() === 'production') return false;
  if (embedded) return true;
  // The default of docker-compose.yml, which treats an empty variable as unset too.
  const composeName = environment['POSTGRES_DB'] || 'synthlab';
  return isThisMachine(host) && (developmentName.test(name) || name === composeName);
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isThisMachine(host: string): boolean {
  // The directory of a unix socket, or a socket in Linux's abstract namespace.
  if (host.startsWith('/') || host.startsWith('@')) return true;
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(address);
  if (family !== 0) return loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
  // RFC 6761: these never leave the machine.
  return /^(?:.+\.)?localhost\.?$/i.test(host);
}
