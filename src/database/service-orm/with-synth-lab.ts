import { PostgreSqlDriver, type Options } from '@mikro-orm/postgresql';
import { SettingsError } from '../../errors.ts';
import { resolveSettings } from '../../settings/resolve-settings.ts';
import { connectOptions } from '../../postgres/orm/connect-options.ts';
import { JoinedUpdates } from '../../postgres/orm/driver/joined-updates.ts';
import type { OpenDatabaseOptions } from '../open-database.ts';
import { ormOptions } from '../../postgres/orm/orm-options.ts';
import { SharedSessionCheck } from '../../postgres/client/pooled-sessions.ts';
// Gives each entity its repository.
import '../../repositories/registration.ts';
import { changedTables } from './changed-tables.ts';
import { serviceNaming } from './service-naming.ts';

// Options that would connect past our settings, and what to write instead.
const refused = {
  disableTransactions: 'a unit of work would be neither flushed nor rolled back',
  host: 'write it into clientUrl',
  port: 'write it into clientUrl',
  user: 'write it into clientUrl',
  password: 'write it into clientUrl',
  dbName: 'write it into clientUrl',
  pool: 'give the second argument of withSynthLab, as in { pool: { max: 20 } }',
  driverOptions:
    'write parameters such as application_name and sslmode into clientUrl, and give pool and timeouts to the second argument of withSynthLab',
  replicas:
    'the ORM reads from any replica, however late; open the database with openDatabase({ replicaUrls })',
  preferEnvVars: 'variables MIKRO_ORM_… would replace what was resolved; use DATABASE_URL',
} as const satisfies Partial<Record<keyof Options, string>>;

/** The options of a service's own MikroORM, as `MikroORM.init` takes them, but for those that say how to connect. */
export type ServiceOptions = Omit<Options, keyof typeof refused>;

/** How the service's MikroORM connects: settings with the meaning that they have for `openDatabase`. */
export type ServiceConnection = Pick<OpenDatabaseOptions, 'poolMode' | 'pool' | 'timeouts'>;

/**
 * Returns the options for a service's own MikroORM that has our entities beside its own, with all that guards them: subscribers, driver,
 * clients of the pool, COPY, repositories. The service's options are kept, and ours are added: its entities, subscribers, extensions,
 * hooks and the names of its tables stay as they were.
 *
 * `clientUrl` defaults to `DATABASE_URL`; its parameters and `connection` are read as `openDatabase` reads them. Without `migrations` that
 * say where the service's own are, the ORM's migrator runs ours. Opens nothing. Errors that the ORM throws are the ORM's own;
 * `toDataError` translates them. In `poolMode: session`, the first connection is checked: behind a pooler in transaction or statement
 * mode every connection is refused with a SettingsError.
 *
 * @throws SettingsError that lists every option that contradicts ours, or can't be used.
 */
export function withSynthLab(options: ServiceOptions = {}, connection: ServiceConnection = {}): Options {
  const problems = contradictions(options);
  if (problems.length > 0) throw new SettingsError(problems);
  const settings = resolveSettings({ ...connection, url: options.clientUrl });
  const target = settings.url.value;
  if (target === null) {
    throw new SettingsError(
      settings.url.source === 'default'
        ? 'no database is named: set DATABASE_URL, or give clientUrl to withSynthLab'
        : `${settings.url.source === 'argument' ? 'clientUrl' : settings.url.source} is embedded, which withSynthLab does not start: ` +
            'give the URL that `synthdb db url` prints',
    );
  }
  const check = settings.poolMode.value === 'session' ? new SharedSessionCheck(target) : undefined;
  const ours = ormOptions(target, connectOptions(settings), check);
  const merged = merge(ours, options);
  const changed = changedTables(ours, merged);
  if (changed.length === 0) return merged;
  throw new SettingsError(
    `namingStrategy, schema, discovery or schemaGenerator would change tables of synth-lab-data (${changed.join(', ')}): ` +
      "let them apply to the service's own entities alone, or say there what they would give (tableName, fieldName, schema)",
  );
}

function contradictions(options: Options): string[] {
  const problems = Object.entries(refused)
    .filter(([name]) => Reflect.get(options, name) !== undefined)
    .map(([name, remedy]) => `${name} can't be given to withSynthLab: ${remedy}`);
  const { driver } = options;
  if (driver !== undefined && driver !== PostgreSqlDriver && driver !== JoinedUpdates) {
    problems.push(`driver is ${driver.name}, which the tables can't be used with: leave it out`);
  }
  return problems;
}

function merge(ours: Options, theirs: ServiceOptions): Options {
  const merged: Options = {
    ...ours,
    ...theirs,
    driver: JoinedUpdates,
    entities: joined(ours.entities, theirs.entities),
    namingStrategy: serviceNaming(theirs.namingStrategy),
    extensions: joined(ours.extensions, theirs.extensions),
    // Theirs first: what they make of a flush is looked at by ours.
    subscribers: joined(theirs.subscribers, ours.subscribers),
    migrations: { ...migrationsOf(ours, theirs), ...theirs.migrations },
    schemaGenerator: {
      ...theirs.schemaGenerator,
      ignoreSchema: joined(ours.schemaGenerator?.ignoreSchema, theirs.schemaGenerator?.ignoreSchema),
    },
  };
  // Its parts are there, and its parameters, which the ORM would drop.
  delete merged.clientUrl;
  if (theirs.entitiesTs) merged.entitiesTs = joined(ours.entities, theirs.entitiesTs);
  // What `openDatabase` has otherwise than the ORM, and no entity needs, stays as the service has it.
  for (const name of [
    'flushMode',
    'autoJoinOneToOneOwner',
    'logger',
    'contextName',
    'entityManager',
  ] as const)
    if (theirs[name] === undefined) delete merged[name];
  return merged;
}

/** Ours, but where its files are when the service says where its own are. */
function migrationsOf(ours: Options, { migrations: theirs = {} }: ServiceOptions): Options['migrations'] {
  const found: Options['migrations'] = { ...ours.migrations };
  if (theirs.path ?? theirs.pathTs ?? theirs.migrationsList) {
    delete found.path;
    delete found.migrationsList;
  }
  return found;
}

/** Each of both once. */
function joined<T>(first: Iterable<T> = [], second: Iterable<T> = []): T[] {
  return [...new Set([...first, ...second])];
}
