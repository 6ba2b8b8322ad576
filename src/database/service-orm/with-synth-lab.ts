import { PostgreSqlDriver, type Options } from '@mikro-orm/postgresql';
import { SettingsError } from '../../errors.ts';
import { resolveSettings } from '../../settings/resolve-settings.ts';
import { connectOptions } from '../../postgres/orm/connect-options.ts';
import { BatchUpdateDriver } from '../../postgres/orm/driver/batch-update-driver.ts';
import type { OpenDatabaseOptions } from '../open-database.ts';
import { ormOptions } from '../../postgres/orm/orm-options.ts';
import { SharedSessionCheck } from '../../postgres/pooler/pooler-mode.ts';
// Registers the repositories of our entities.
import '../../repositories/registration.ts';
import { changedTables } from './changed-tables.ts';
import { serviceNaming } from './service-naming.ts';

// Options that would bypass our settings, and what to write instead.
const refusedOptions = {
  disableTransactions: 'a unit of work would be neither flushed nor rolled back',
  host: 'write it into clientUrl',
  port: 'write it into clientUrl',
  user: 'write it into clientUrl',
  password: 'write it into clientUrl',
  dbName: 'write it into clientUrl',
  pool: 'pass it in the second argument of withSynthLab, as in { pool: { max: 20 } }',
  driverOptions:
    'write parameters such as application_name and sslmode into clientUrl, and pass pool and timeouts in the second argument of withSynthLab',
  replicas:
    'the ORM reads from any replica, however far it lags; open the database with openDatabase({ replicaUrls })',
  preferEnvVars: 'variables MIKRO_ORM_… would override the settings; use DATABASE_URL',
} as const satisfies Partial<Record<keyof Options, string>>;

/** The options of a service's own MikroORM, as for `MikroORM.init`, without those for the connection. */
export type ServiceOptions = Omit<Options, keyof typeof refusedOptions>;

/** How the service's MikroORM connects, with the meaning of the same options of `openDatabase`. */
export type ServiceConnection = Pick<OpenDatabaseOptions, 'poolMode' | 'pool' | 'timeouts'>;

/**
 * Returns the options for a service's own MikroORM with our entities and their subscribers, driver, pool clients and repositories. They are
 * added to the service's options: its entities, subscribers, extensions, hooks and table names are kept.
 *
 * `clientUrl` defaults to `DATABASE_URL`; its parameters and `connection` have the same meaning as for `openDatabase`. Without the service's own
 * `migrations`, the ORM's migrator runs ours. Opens nothing. The ORM throws its own errors; `toDataError` translates them. In `poolMode:
 * session`, the first connection is checked: behind a pooler in transaction or statement mode every connection is refused with a
 * SettingsError.
 *
 * @throws SettingsError that lists all options that conflict with ours or are invalid.
 */
export function withSynthLab(options: ServiceOptions = {}, connection: ServiceConnection = {}): Options {
  const problems = conflictsOf(options);
  if (problems.length > 0) throw new SettingsError(problems);
  const settings = resolveSettings({ ...connection, url: options.clientUrl });
  const target = settings.url.value;
  if (target === null) {
    throw new SettingsError(
      settings.url.source === 'default'
        ? 'no database is configured: set DATABASE_URL, or pass clientUrl to withSynthLab'
        : `${settings.url.source === 'argument' ? 'clientUrl' : settings.url.source} is embedded, which withSynthLab does not start: ` +
            'use the URL that `synthdb db url` prints',
    );
  }
  const check = settings.poolMode.value === 'session' ? new SharedSessionCheck(target) : undefined;
  const ours = ormOptions(target, connectOptions(settings), check);
  const merged = merge(ours, options);
  const changed = changedTables(ours, merged);
  if (changed.length === 0) return merged;
  throw new SettingsError(
    `namingStrategy, schema, discovery or schemaGenerator would change tables of synth-lab-data (${changed.join(', ')}): ` +
      "restrict them to the service's own entities, or set tableName, fieldName and schema there",
  );
}

function conflictsOf(options: Options): string[] {
  const problems = Object.entries(refusedOptions)
    .filter(([name]) => Reflect.get(options, name) !== undefined)
    .map(([name, remedy]) => `${name} is not allowed in the options of withSynthLab: ${remedy}`);
  const { driver } = options;
  if (driver !== undefined && driver !== PostgreSqlDriver && driver !== BatchUpdateDriver) {
    problems.push(`driver is ${driver.name}, which does not support our tables: leave it out`);
  }
  return problems;
}

function merge(ours: Options, theirs: ServiceOptions): Options {
  const merged: Options = {
    ...ours,
    ...theirs,
    driver: BatchUpdateDriver,
    entities: union(ours.entities, theirs.entities),
    namingStrategy: serviceNaming(theirs.namingStrategy),
    extensions: union(ours.extensions, theirs.extensions),
    // The service's first: ours check the result of them.
    subscribers: union(theirs.subscribers, ours.subscribers),
    migrations: { ...migrationOptions(ours, theirs), ...theirs.migrations },
    schemaGenerator: {
      ...theirs.schemaGenerator,
      ignoreSchema: union(ours.schemaGenerator?.ignoreSchema, theirs.schemaGenerator?.ignoreSchema),
    },
  };
  // Its parts are set separately, because the ORM would drop its parameters.
  delete merged.clientUrl;
  if (theirs.entitiesTs) merged.entitiesTs = union(ours.entities, theirs.entitiesTs);
  // Options that `openDatabase` changes and our entities don't need are the service's.
  for (const name of [
    'flushMode',
    'autoJoinOneToOneOwner',
    'logger',
    'contextName',
    'entityManager',
    'propagationOnPrototype',
  ] as const)
    if (theirs[name] === undefined) delete merged[name];
  return merged;
}

/** Returns our migration options, without our migrations when the service has its own. */
function migrationOptions(ours: Options, { migrations: theirs = {} }: ServiceOptions): Options['migrations'] {
  const found: Options['migrations'] = { ...ours.migrations };
  if (theirs.path ?? theirs.pathTs ?? theirs.migrationsList) {
    delete found.path;
    delete found.migrationsList;
  }
  return found;
}

/** Returns the elements of both without duplicates. */
function union<T>(first: Iterable<T> = [], second: Iterable<T> = []): T[] {
  return [...new Set([...first, ...second])];
}
