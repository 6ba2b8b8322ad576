import { z } from 'zod';
import { SslModeText } from './url-parameters.ts';

/** One setting: what it may be, which variables set it, and what its users are told. */
interface Definition<Schema extends z.ZodType> {
  /** Of the value; what comes from a variable is text. Its default is what holds where nobody says anything. */
  readonly schema: Schema;
  /** The first that is set counts. */
  readonly variables: readonly [string, ...string[]];
  readonly example: string;
  readonly what: string;
  /** What to show for the default, where that is no value. */
  readonly absent?: string;
  /** `milliseconds` or `bytes`. */
  readonly unit?: string;
  /** Whether `openDatabase` can't be told: only the environment can. */
  readonly environmentOnly?: true;
  /**
   * What a variable means that is set to nothing visible. `refused`: it decides where and how to connect, and its default would be
   * somewhere else, or less safe. `unset`: its default does no harm, and compose files pass on what is not set as empty.
   */
  readonly blank: 'refused' | 'unset';
}

function define<Schema extends z.ZodType>(definition: Definition<Schema>): Definition<Schema> {
  return definition;
}

// Half of the longest that a timer of Node's runs.
const longest = 2 ** 30;

function whole(least: number, most = longest) {
  return z.preprocess(
    (given) => (typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given),
    z
      .int({ error: `it is a whole number from ${least} to ${most}` })
      .min(least, `it is a whole number from ${least} to ${most}`)
      .max(most, `it is a whole number from ${least} to ${most}`),
  );
}

const switches = {
  true: true,
  '1': true,
  on: true,
  yes: true,
  false: false,
  '0': false,
  off: false,
  no: false,
};
const flag = z.preprocess(
  (given) =>
    typeof given === 'string' ? (new Map(Object.entries(switches)).get(given.toLowerCase()) ?? given) : given,
  z.boolean({ error: 'it is true or false' }),
);

const url = z.string({ error: 'it is a text' });

// A text without a URL is none: whoever sets it means one.
const urls = z.preprocess(
  (given) => (typeof given === 'string' ? (given.match(/[^\s,]+/g) ?? given) : given),
  z.array(url, { error: 'it is a list of URLs' }),
);

const poolModes = ['session', 'transaction', 'external'] as const;

/** Every setting, under the name that it has in the options of `openDatabase`. */
export const definitions = {
  url: define({
    schema: url.optional(),
    variables: ['DATABASE_URL'],
    example: 'postgresql://user:password@host:5432/database',
    what: 'The database that the application uses, through a pooler if there is one; `embedded` for the embedded server of the project.',
    absent: 'the embedded server of the project',
    blank: 'refused',
  }),
  migrationUrl: define({
    schema: url.optional(),
    variables: ['MIGRATION_DATABASE_URL', 'DATABASE_URL'],
    example: 'postgresql://user:password@host:5432/database',
    what: 'The same database for migrations, past the pooler.',
    absent: '`DATABASE_URL`',
    environmentOnly: true,
    blank: 'refused',
  }),
  replicaUrls: define({
    schema: urls.default([]),
    variables: ['REPLICA_DATABASE_URLS'],
    example: 'postgresql://user:password@replica-1/database postgresql://user:password@replica-2/database',
    what: 'Its replicas, separated by spaces or commas.',
    absent: 'none',
    blank: 'refused',
  }),
  sslMode: define({
    schema: SslModeText.optional(),
    variables: ['POSTGRES_SSL_MODE'],
    example: 'verify-full',
    what: 'The `sslmode` of URLs that have none.',
    absent: '`prefer`',
    environmentOnly: true,
    blank: 'refused',
  }),
  sslRootCert: define({
    schema: z.string().optional(),
    variables: ['POSTGRES_SSL_ROOT_CERT'],
    example: '/etc/ssl/database-ca.pem',
    what: 'The `sslrootcert` of URLs that have none.',
    absent: 'none',
    environmentOnly: true,
    blank: 'refused',
  }),
  poolMode: define({
    schema: z.enum(poolModes, { error: `it is one of ${poolModes.join(', ')}` }).default('session'),
    variables: ['DATABASE_POOL_MODE'],
    example: 'transaction',
    what: '`session`: connections of our own. `transaction`: a pooler in transaction mode stands in front. `external`: no pool of our own, a connection per unit of work.',
    blank: 'refused',
  }),
  'pool.max': define({
    schema: whole(1, 10_000).default(10),
    variables: ['DATABASE_POOL_MAX'],
    example: '20',
    what: 'Connections at most.',
    blank: 'unset',
  }),
  'pool.acquireTimeout': define({
    schema: whole(1).default(5_000),
    variables: ['DATABASE_POOL_ACQUIRE_TIMEOUT'],
    example: '2000',
    what: 'How long a unit of work waits for a connection.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'pool.idleTimeout': define({
    schema: whole(0).default(10_000),
    variables: ['DATABASE_POOL_IDLE_TIMEOUT'],
    example: '60000',
    what: 'After how long a connection that nobody uses is closed; 0 for never.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'pool.maxLifetime': define({
    schema: whole(0).default(1_800_000),
    variables: ['DATABASE_POOL_MAX_LIFETIME'],
    example: '600000',
    what: 'How old a connection may become; 0 for any age.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'timeouts.statement': define({
    schema: whole(0).optional(),
    variables: ['DATABASE_STATEMENT_TIMEOUT'],
    example: '30000',
    what: 'How long a statement of a transaction may run; 0 for ever.',
    absent: 'as the role or the server has it',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'timeouts.lock': define({
    schema: whole(0).optional(),
    variables: ['DATABASE_LOCK_TIMEOUT'],
    example: '5000',
    what: 'How long it may wait for a lock; 0 for ever.',
    absent: 'as the role or the server has it',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'timeouts.idleInTransaction': define({
    schema: whole(0).optional(),
    variables: ['DATABASE_IDLE_IN_TRANSACTION_TIMEOUT'],
    example: '60000',
    what: 'How long a transaction may stand without a statement; 0 for ever.',
    absent: 'as the role or the server has it',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  'timeouts.answer': define({
    schema: whole(0).default(60_000),
    variables: ['DATABASE_ANSWER_TIMEOUT'],
    example: '300000',
    what: 'How long the server may be silent while it owes an answer, before its connection is given up; 0 for ever. A longer statement timeout prolongs it.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  maxReplicaLag: define({
    schema: whole(0, Number.MAX_SAFE_INTEGER).default(16_777_216),
    variables: ['DATABASE_MAX_REPLICA_LAG'],
    example: '1048576',
    what: 'How far a replica that is read from may be behind, in WAL.',
    unit: 'bytes',
    blank: 'unset',
  }),
  slowStatement: define({
    schema: whole(0).default(1_000),
    variables: ['DATABASE_SLOW_STATEMENT'],
    example: '250',
    what: 'From which duration a statement is logged as slow; 0 for none.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  closeTimeout: define({
    schema: whole(0).default(10_000),
    variables: ['DATABASE_CLOSE_TIMEOUT'],
    example: '30000',
    what: 'How long `close()` waits for units of work that run.',
    unit: 'milliseconds',
    blank: 'unset',
  }),
  logStatements: define({
    schema: flag.default(false),
    variables: ['SQL_ECHO'],
    example: 'true',
    what: 'Whether every statement is logged, without its values.',
    blank: 'unset',
  }),
} as const;

export type SettingName = keyof typeof definitions;
export type SettingValue<Name extends SettingName> = z.output<(typeof definitions)[Name]['schema']>;

/** What holds where nobody says anything. */
export function standard<Name extends SettingName>(name: Name): SettingValue<Name> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript does not follow a name into the schema that belongs to it
  return definitions[name].schema.parse(undefined) as SettingValue<Name>;
}

/** Variables that other stacks read and this one does not, and what to write instead: ignoring them would surprise. */
export const refusedVariables: Readonly<Record<string, string>> = {
  WORKERS:
    'says nothing about connections here: set DATABASE_POOL_MAX instead; for example DATABASE_POOL_MAX=10',
};
