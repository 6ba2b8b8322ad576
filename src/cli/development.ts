import { isDevelopmentDatabase } from 'mikro-orm-safe-migrations/cli';

/** What tells whether a database is one for development. */
export interface DatabaseIdentity {
  /** The project's own embedded one. */
  readonly embedded: boolean;
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
  /** The database's name, as the server has it. */
  readonly name: string;
}

/**
 * Whether a database is one for development: the embedded one, or one on this machine whose name says so (`shop_dev`, `test`), or that
 * has the name of the one in docker-compose.yml. With `NODE_ENV=production` none is.
 */
export function isForDevelopment(
  { embedded, host, name }: DatabaseIdentity,
  environment: NodeJS.Dict<string>,
): boolean {
  // As docker-compose.yml has it; an empty variable counts as unset there too.
  const composed = environment['POSTGRES_DB'] || 'synthlab';
  return isDevelopmentDatabase(
    embedded ? { host: 'localhost', name: composed } : { host, name },
    environment,
    [composed],
  );
}
