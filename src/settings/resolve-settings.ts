import { SettingsError } from '../errors.ts';
import { parseDatabaseUrl, type DatabaseTarget, type UrlDefaults } from './database-url.ts';
import type { SettingName, SettingValue } from './setting-definitions.ts';
import { embedded } from './embedded-by-default.ts';
import type { SettingsInput, Resolved } from './settings-input.ts';
import { displayName, exampleOf, parseValue, SettingsReader } from './settings-reader.ts';

type Targets = {
  /** Null for the embedded server, and, with the source `default`, when no database is configured. */
  readonly [Name in 'url' | 'migrationUrl']: Resolved<DatabaseTarget | null>;
} & { readonly replicaUrls: Resolved<readonly DatabaseTarget[]> };

/** All settings, each with its source. */
export type Settings = Targets & {
  readonly [Name in Exclude<SettingName, keyof Targets>]: Resolved<SettingValue<Name>>;
};

/** A database and the source of its URL. */
export interface ResolvedDatabase {
  readonly target: DatabaseTarget;
  readonly source: string;
}

/** What a connection is for. Migrations may need to bypass a pooler. */
export type Purpose = 'application' | 'migrations';

/** Returns the name of the setting that holds the URL for a purpose. */
export function urlSettingFor(purpose: Purpose): 'url' | 'migrationUrl' {
  return purpose === 'migrations' ? 'migrationUrl' : 'url';
}

/**
 * Returns all settings, in this order of precedence: `given`, the environment, the `.env` file of the project, the default. A blank value
 * is an error for settings that decide where and how to connect, and means unset for others. Opens no connection.
 *
 * @throws SettingsError with every problem.
 */
export function resolveSettings(
  given: SettingsInput = {},
  environment: NodeJS.ProcessEnv = process.env,
): Settings {
  const reader = new SettingsReader(given, environment);
  const read = <Name extends SettingName>(name: Name): Resolved<SettingValue<Name>> => reader.read(name);
  const [sslMode, sslRootCert, poolMode] = [read('sslMode'), read('sslRootCert'), read('poolMode')];
  const defaults: UrlDefaults = {
    sslMode: sslMode.value,
    sslRootCert: sslRootCert.value,
    fail: (parameter, value, why) => {
      const [name, { source }] =
        parameter === 'sslmode' ? (['sslMode', sslMode] as const) : (['sslRootCert', sslRootCert] as const);
      throw new SettingsError(`${displayName(source, name)} is ${value}: ${why}${exampleOf(name, source)}`);
    },
  };
  const target = ({ value, source }: Resolved<string | undefined>): Resolved<DatabaseTarget | null> => ({
    value: reader.attempt(
      () =>
        value === undefined || value.trim() === embedded
          ? null
          : parseDatabaseUrl(value, displayName(source, 'url'), defaults),
      null,
    ),
    source,
  });
  const url = target(read('url'));
  const migrations = read('migrationUrl');
  const replicas = read('replicaUrls');
  const settings: Settings = {
    url,
    migrationUrl: migrations.source === url.source ? url : target(migrations),
    replicaUrls: {
      value: replicas.value.flatMap((text, index) =>
        reader.attempt(
          () => [
            parseDatabaseUrl(text, `${displayName(replicas.source, 'replicaUrls')}[${index}]`, defaults),
          ],
          [],
        ),
      ),
      source: replicas.source,
    },
    sslMode,
    sslRootCert,
    poolMode,
    namedStatements: read('namedStatements'),
    'pool.max': read('pool.max'),
    'pool.acquireTimeout': read('pool.acquireTimeout'),
    'pool.idleTimeout': read('pool.idleTimeout'),
    'pool.maxLifetime': read('pool.maxLifetime'),
    'timeouts.statement': read('timeouts.statement'),
    'timeouts.lock': read('timeouts.lock'),
    'timeouts.idleInTransaction': read('timeouts.idleInTransaction'),
    'timeouts.answer': read('timeouts.answer'),
    maxReplicaLag: read('maxReplicaLag'),
    slowStatement: read('slowStatement'),
    closeTimeout: read('closeTimeout'),
    logStatements: read('logStatements'),
  };
  // A problem of a default that several URLs use is reported once.
  const problems = new Set([...reader.problems, ...conflicts(settings)]);
  if (problems.size > 0) throw new SettingsError([...problems]);
  return settings;
}

/** Returns the problems of settings that the pool mode does not support. */
function conflicts(settings: Settings): string[] {
  const { poolMode, url, replicaUrls } = settings;
  if (poolMode.value === 'external') {
    return (['pool.idleTimeout', 'pool.maxLifetime'] as const)
      .filter((name) => settings[name].source !== 'default')
      .map(
        (name) =>
          `${displayName(settings[name].source, name)} has no effect with the pool mode external, which keeps no connection; remove it`,
      );
  }
  if (poolMode.value !== 'transaction') return [];
  return [
    ...(url.value ? [[displayName(url.source, 'url'), url.value] as const] : []),
    ...replicaUrls.value.map(
      (replica, index) => [`${displayName(replicaUrls.source, 'replicaUrls')}[${index}]`, replica] as const,
    ),
  ]
    .filter(([, { parts }]) => parts.options !== undefined)
    .map(
      ([name]) =>
        `${name} has options, which a pooler in transaction mode refuses or drops; remove them, and set them ` +
        'on the role or the database; for example alter role app set search_path = lab',
    );
}

/**
 * Parses a value that is given for one setting.
 *
 * @throws SettingsError when it is invalid.
 */
export function parseSetting<Name extends SettingName>(name: Name, value: unknown): SettingValue<Name> {
  const { problem, value: parsed } = parseValue(name, { value, source: 'argument' });
  if (problem !== undefined) throw new SettingsError(problem);
  return parsed;
}

/**
 * Returns the configured database; null for the embedded one. Migrations use `MIGRATION_DATABASE_URL` before `DATABASE_URL`. Opens no
 * connection.
 *
 * @throws SettingsError when this or any other setting is invalid.
 */
export function resolveDatabase(
  given: { url?: string | undefined },
  purpose: Purpose,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedDatabase | null {
  const settings = resolveSettings(given, environment);
  const { value, source } = settings[urlSettingFor(purpose)];
  return value && { target: value, source };
}
