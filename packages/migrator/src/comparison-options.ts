import type { MikroORM, Options } from '@mikro-orm/postgresql';

/** How commands compare schemas. */
export interface ComparisonOptions {
  /**
   * What is left out of the comparisons of `check`, `baseline`, `create` and `squash`, in the database, the migrations and the entities: patterns
   * such as `pgboss.*` and `public.events_p*`.
   */
  readonly ignore?: readonly string[] | undefined;
  /**
   * The URL of a PostgreSQL server for scratch databases, and of a database on it to connect to; by default the server of the connected
   * database. Best of the same major version, and with the same extensions.
   */
  readonly scratchUrl?: string | undefined;
}

/** The part of the ORM's `migrations` that this package reads. */
interface Configured {
  readonly safeMigrations?: ComparisonOptions;
}

/** Returns options for the ORM's configuration, which the command line reads: `migrations: { path, ...comparisonSettings({ … }) }`. */
export function comparisonSettings(
  options: ComparisonOptions,
): NonNullable<Options['migrations']> & Configured {
  return { safeMigrations: options };
}

/** Returns options with those of the ORM's configuration where they are absent. */
export function withConfiguredOptions<T extends ComparisonOptions>(
  orm: MikroORM,
  options: T,
): T & ComparisonOptions {
  const configured: ReturnType<typeof comparisonSettings> = orm.config.get('migrations');
  return {
    ...options,
    ignore: options.ignore ?? configured.safeMigrations?.ignore,
    scratchUrl: options.scratchUrl ?? configured.safeMigrations?.scratchUrl,
  };
}
