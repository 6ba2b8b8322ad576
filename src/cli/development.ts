import { BlockList, isIP } from 'node:net';

/** What tells whether a database is one for development. */
export interface DatabaseIdentity {
  /** The project's own embedded one. */
  readonly embedded: boolean;
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
  /** The database's name, as the server has it. */
  readonly name: string;
}

const says = /(?:^|[_-])(?:dev|development|test|local|scratch)(?:[_-]|$)/i;

/**
 * Whether a database is one for development: the embedded one, or one on this machine whose name says so (`shop_dev`, `test`), or that
 * has the name of the one in docker-compose.yml. With `NODE_ENV=production` none is.
 */
export function isForDevelopment(
  { embedded, host, name }: DatabaseIdentity,
  environment: NodeJS.Dict<string>,
): boolean {
  if (environment['NODE_ENV']?.trim().toLowerCase() === 'production') return false;
  if (embedded) return true;
  // As docker-compose.yml has it; an empty variable counts as unset there too.
  const composed = environment['POSTGRES_DB'] || 'synthlab';
  return isThisMachine(host) && (says.test(name) || name === composed);
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
