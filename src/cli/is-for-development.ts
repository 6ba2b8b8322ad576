import { isDevelopmentDatabase } from 'mikro-orm-safe-migrations/cli';

/** The properties that decide whether a database is one for development. */
export interface DatabaseIdentity {
  /** Whether it is the embedded database of the project. */
  readonly embedded: boolean;
  /** A host name, an IP address, or the directory of a unix socket. */
  readonly host: string;
  /** The name of the database on the server. */
  readonly name: string;
}

/**
 * Whether a database is one for development: the embedded one, or one on this machine that has a development name (`shop_dev`, `test`) or
 * the name in docker-compose.yml. Always false with `NODE_ENV=production`.
 */
export function isForDevelopment(
  { embedded, host, name }: DatabaseIdentity,
  environment: NodeJS.Dict<string>,
): boolean {
  // The default of docker-compose.yml, which treats an empty variable as unset too.
  const composeName = environment['POSTGRES_DB'] || 'synthlab';
  const database = embedded ? { host: 'localhost', name: composeName } : { host, name };
  return isDevelopmentDatabase(database, environment, [composeName]);
}
