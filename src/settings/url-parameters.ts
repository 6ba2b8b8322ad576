import { wordOf, InvalidSetting, text, type ValueOf, type SettingType } from './value-types.ts';

/** libpq's `sslmode` values. `allow` is not supported, since it encrypts only when the server insists. */
export const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

/** libpq's `target_session_attrs` values. With one host, `any` and `prefer-standby` accept every server. */
const sessionAttributes = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type SessionAttributes = (typeof sessionAttributes)[number];

/** An `sslmode`. `no-verify` is the name of `require` in other drivers. */
export const sslMode: SettingType<SslMode> = (given) => {
  if (given === 'allow')
    return new InvalidSetting(
      'allow is not supported; use prefer, which encrypts when the server supports it, or require',
    );
  return given === 'no-verify' ? 'require' : wordOf(sslModes)(given);
};

// libpq treats an empty value as the default for some parameters and as an error for others.
const filled: SettingType<string> = (given) =>
  given === '' ? new InvalidSetting('it is empty; give it a value, or remove it') : text(given);

const onlyTrue: SettingType<'true'> = (given) =>
  given === 'true' ? given : new InvalidSetting('only true is supported; use sslmode instead');

const seconds: SettingType<number> = (given) =>
  typeof given === 'string' && /^\d{1,6}$/.test(given)
    ? Number(given)
    : new InvalidSetting('expected a number of whole seconds');

/** The supported parameters of a URL, each with its type and its meaning. Any other is refused rather than ignored. */
const definitions = {
  sslmode: [
    sslMode,
    '`disable`, `prefer`, `require`, `verify-ca`, `verify-full`; `no-verify` is `require`. See [sslmode](#sslmode)',
  ],
  ssl: [onlyTrue, '`true` means `sslmode=require`, as in JDBC and libpq. Not together with `sslmode`'],
  sslrootcert: [
    filled,
    'a file of trusted root certificates in PEM format; `system` for those of the machine and `NODE_EXTRA_CA_CERTS`',
  ],
  sslcert: [filled, 'a file with the client certificate; needs `sslkey`'],
  sslkey: [filled, 'a file with the private key of `sslcert`'],
  application_name: [filled, 'the name that the server shows for a session; default `synth-lab-data`'],
  connect_timeout: [
    seconds,
    'seconds that one connection attempt may take, 0 for no limit; default the acquire timeout, which applies in addition',
  ],
  options: [
    filled,
    'settings for each session, `-c search_path=lab` percent-encoded. Not [behind a pooler in transaction mode](#statements-that-a-pooler-forbids)',
  ],
  target_session_attrs: [
    wordOf(sessionAttributes),
    `${sessionAttributes.map((name) => `\`${name}\``).join(', ')}: a new connection to a server of another kind is closed`,
  ],
  host: [filled, 'the host, when the URL has none before its path'],
  port: [filled, 'the port, when the URL has none'],
} as const satisfies Record<string, readonly [type: SettingType<unknown>, meaning: string]>;

type ParameterName = keyof typeof definitions;

export type Parameters = {
  readonly [Name in ParameterName]?: ValueOf<(typeof definitions)[Name][0]> | undefined;
};

/** The meaning of each supported parameter, for the documentation. */
export const parameterDescriptions: readonly (readonly [name: string, what: string])[] = Object.entries(
  definitions,
).map(([name, [, meaning]]) => [name, meaning]);

const supported = Object.keys(definitions).join(', ');

// Parameters of other stacks, and their equivalents here.
const equivalents: Partial<Record<string, string>> = {
  pgbouncer: 'set DATABASE_POOL_MODE=transaction',
  connection_limit: 'set DATABASE_POOL_MAX',
  pool_timeout: 'set DATABASE_POOL_ACQUIRE_TIMEOUT',
  statement_timeout: 'set DATABASE_STATEMENT_TIMEOUT',
  user: 'write it before the host',
  password: 'write it before the host',
  dbname: 'write it behind the host',
};

/** Returns the parameters of a URL, and a sentence for each problem. */
export function readParameters(given: readonly (readonly [string, string])[]): {
  readonly parameters: Parameters;
  readonly problems: readonly string[];
} {
  const names = given.map(([name]) => name);
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  const values = Object.fromEntries(given);
  const problemsOfValues: string[] = [];
  const read: Record<string, unknown> = {};
  for (const [name, [type]] of Object.entries(definitions)) {
    const value = values[name];
    if (value === undefined) continue;
    const parsed = type(value);
    if (parsed instanceof InvalidSetting)
      problemsOfValues.push(`has ${name}=${redactValue(value)}: ${parsed.why}`);
    else read[name] = parsed;
  }
  const unknown = Object.keys(values).filter((name) => !Object.hasOwn(definitions, name));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value is of the type of its parameter
  const { ssl, ...parameters } = read as Parameters;
  return {
    parameters: ssl === undefined ? parameters : { ...parameters, sslmode: 'require' },
    problems: [
      ...[...twice].map((name) => `has the parameter${quotedName(name)} twice; keep one`),
      ...(names.includes('ssl') && names.includes('sslmode') ? ['has both ssl and sslmode; remove ssl'] : []),
      ...problemsOfValues,
      ...unknown.map(
        (name) =>
          `has an unknown parameter${quotedName(name)}; ${equivalents[name] ?? `expected: ${supported}`}`,
      ),
    ],
  };
}

// Anything that does not look like a name may be a part of a secret.
function quotedName(name: string): string {
  return /^[a-z_]{1,40}$/i.test(name) ? ` "${name}"` : '';
}

/** Returns a value for a message; "…" unless it is short and plain, since it may be a misplaced secret. */
export function redactValue(value: string): string {
  return /^[\w .+-]{0,40}$/.test(value) ? value : '…';
}
