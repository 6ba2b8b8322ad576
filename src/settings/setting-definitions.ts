import { sslMode } from './url-parameters.ts';
import {
  flag,
  integer,
  wordOf,
  optionalSetting,
  InvalidSetting,
  text,
  urls,
  withDefault,
  type ValueOf,
  type SettingType,
} from './value-types.ts';

/** One setting: its type and default, the variables that set it, and its documentation. */
interface Definition<Value> {
  /** Reads the value, given as an option or as the text of a variable, and has its default. */
  readonly type: SettingType<Value>;
  /** The first one that is set is used. */
  readonly variables: readonly [string, ...string[]];
  readonly example: string;
  readonly description: string;
  /** How the documentation shows a default that is not a value. */
  readonly defaultText?: string;
  /** `milliseconds` or `bytes`. */
  readonly unit?: string;
  /** Whether it is a variable only, and not an option of `openDatabase`. */
  readonly environmentOnly?: true;
  /**
   * How a blank variable is treated. `refused`: the setting decides where or how to connect, and the default would be another database or
   * less safe. `unset`: the default is harmless, and compose files pass unset variables on as empty.
   */
  readonly blank: 'refused' | 'unset';
}

function define<Value>(definition: Definition<Value>): Definition<Value> {
  return definition;
}

const poolModes = ['session', 'transaction', 'external'] as const;

/** All settings, keyed by their names in the options of `openDatabase`. */
export const definitions = {
  url: define({
    type: optionalSetting(text),
    variables: ['DATABASE_URL'],
    example: 'postgresql://user:password@host:5432/database',
    description:
      'The database of the application, through a pooler if there is one; `embedded` for the embedded server of the project.',
    defaultText: 'the embedded server of the project, in development only',
    blank: 'refused',
  }),
  migrationUrl: define({
    type: optionalSetting(text),
    variables: ['MIGRATION_DATABASE_URL', 'DATABASE_URL'],
    example: 'postgresql://user:password@host:5432/database',
    description: 'The same database for migrations, bypassing the pooler.',
    defaultText: '`DATABASE_URL`',
    environmentOnly: true,
    blank: 'refused',
  }),
  replicaUrls: define({
    type: withDefault(urls, []),
    variables: ['REPLICA_DATABASE_URLS'],
    example: 'postgresql://user:password@replica-1/database postgresql://user:password@replica-2/database',
    description: 'The URLs of its replicas, separated by spaces or commas.',
    defaultText: 'none',
    blank: 'refused',
  }),
  sslMode: define({
    type: optionalSetting(sslMode),
    variables: ['POSTGRES_SSL_MODE'],
    example: 'verify-full',
    description: 'The `sslmode` of URLs without one.',
    defaultText: '`prefer`',
    environmentOnly: true,
    blank: 'refused',
  }),
  sslRootCert: define({
    type: optionalSetting(text),
    variables: ['POSTGRES_SSL_ROOT_CERT'],
    example: '/etc/ssl/database-ca.pem',
    description: 'The `sslrootcert` of URLs without one.',
    defaultText: 'none',
    environmentOnly: true,
    blank: 'refused',
  }),
  poolMode: define({
    type: withDefault(wordOf(poolModes), 'session'),
    variables: ['DATABASE_POOL_MODE'],
    example: 'transaction',
    description:
      '`session`: a connection pool of this process. `transaction`: the same, behind a pooler in transaction mode. `external`: no pool, a new connection for each unit of work.',
    blank: 'refused',
  }),
  namedStatements: define({
    type: withDefault(flag, true),
    variables: ['DATABASE_NAMED_STATEMENTS'],
    example: 'false',
    description:
      'Whether each connection prepares the statements of reads by key and of single inserts once. Behind a pooler, only when it keeps them for its clients.',
    blank: 'unset',
  }),
  'pool.max': define({
    type: withDefault(integer(1, 10_000), 10),
    variables: ['DATABASE_POOL_MAX'],
    example: '20',
    description: 'Maximum number of connections.',
    blank: 'unset',
  }),
  'pool.acquireTimeout': define({
    type: withDefault(integer(1), 5_000),
    variables: ['DATABASE_POOL_ACQUIRE_TIMEOUT'],
    example: '2000',
    description: 'How long a unit of work waits for a connection.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'pool.idleTimeout': define({
    type: withDefault(integer(0), 10_000),
    variables: ['DATABASE_POOL_IDLE_TIMEOUT'],
    example: '60000',
    description: 'How long an idle connection is kept; 0 for no limit.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'pool.maxLifetime': define({
    type: withDefault(integer(0), 1_800_000),
    variables: ['DATABASE_POOL_MAX_LIFETIME'],
    example: '600000',
    description: 'Maximum age of a connection; 0 for no limit.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'timeouts.statement': define({
    type: optionalSetting(integer(0)),
    variables: ['DATABASE_STATEMENT_TIMEOUT'],
    example: '30000',
    description: '`statement_timeout` of transactions; 0 for no limit.',
    defaultText: 'that of the role or the server',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'timeouts.lock': define({
    type: optionalSetting(integer(0)),
    variables: ['DATABASE_LOCK_TIMEOUT'],
    example: '5000',
    description: '`lock_timeout` of transactions; 0 for no limit.',
    defaultText: 'that of the role or the server',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'timeouts.idleInTransaction': define({
    type: optionalSetting(integer(0)),
    variables: ['DATABASE_IDLE_IN_TRANSACTION_TIMEOUT'],
    example: '60000',
    description: '`idle_in_transaction_session_timeout` of transactions; 0 for no limit.',
    defaultText: 'that of the role or the server',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'timeouts.answer': define({
    type: withDefault(integer(0), 60_000),
    variables: ['DATABASE_ANSWER_TIMEOUT'],
    example: '300000',
    description:
      'How long the client waits for an answer of the server before it drops the connection; 0 for no limit. A longer statement timeout extends it.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  maxReplicaLag: define({
    type: withDefault(integer(0, Number.MAX_SAFE_INTEGER), 16_777_216),
    variables: ['DATABASE_MAX_REPLICA_LAG'],
    example: '1048576',
    description: 'Maximum WAL lag of a replica that serves reads.',
    unit: 'bytes',
    blank: 'unset',
  }),
  slowStatement: define({
    type: withDefault(integer(0), 1_000),
    variables: ['DATABASE_SLOW_STATEMENT'],
    example: '250',
    description: 'Minimum duration of a statement that is logged as slow; 0 for none.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  closeTimeout: define({
    type: withDefault(integer(0), 10_000),
    variables: ['DATABASE_CLOSE_TIMEOUT'],
    example: '30000',
    description: 'How long `close()` waits for running units of work.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  logStatements: define({
    type: withDefault(flag, false),
    variables: ['SQL_ECHO'],
    example: 'true',
    description: 'Whether every statement is logged, without its values.',
    blank: 'unset',
  }),
} as const;

export type SettingName = keyof typeof definitions;
export type SettingValue<Name extends SettingName> = ValueOf<(typeof definitions)[Name]['type']>;

/** Returns the value of a setting that is given as `value`, or why it is refused. */
export function readValue<Name extends SettingName>(
  name: Name,
  value: unknown,
): SettingValue<Name> | InvalidSetting {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript does not follow a name into the type that belongs to it
  return definitions[name].type(value) as SettingValue<Name> | InvalidSetting;
}

/** Returns the default of a setting; undefined when it has none. */
export function defaultFor<Name extends SettingName>(name: Name): SettingValue<Name> {
  const value = readValue(name, undefined);
  if (value instanceof InvalidSetting) throw new Error(`the default of ${name} is refused: ${value.why}`);
  return value;
}

/** Variables of other stacks that are refused, with what to set instead, since ignoring them would be a surprise. */
export const refusedVariables: Readonly<Record<string, string>> = {
  WORKERS: 'is not supported: set DATABASE_POOL_MAX instead; for example DATABASE_POOL_MAX=10',
};
