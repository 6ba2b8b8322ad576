import { z } from 'zod';

/** libpq's `sslmode` values. `allow` is not supported, since it encrypts only when the server insists. */
export const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

/** libpq's `target_session_attrs` values. With one host, `any` and `prefer-standby` accept every server. */
const sessionAttributes = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type SessionAttributes = (typeof sessionAttributes)[number];

/** Parses an `sslmode`. `no-verify` is the name of `require` in other drivers. */
export const SslModeText = z
  .enum([...sslModes, 'no-verify'], {
    error: ({ input }) =>
      input === 'allow'
        ? 'allow is not supported; use prefer, which encrypts when the server supports it, or require'
        : `expected one of: ${sslModes.join(', ')}`,
  })
  .transform((mode): SslMode => (mode === 'no-verify' ? 'require' : mode));

// libpq treats an empty value as the default for some parameters and as an error for others.
const text = z.string().min(1, 'it is empty; give it a value, or remove it').optional();

/** The supported parameters of a URL. Any other is refused rather than ignored. */
const Parameters = z.strictObject({
  sslmode: SslModeText.optional().describe(
    '`disable`, `prefer`, `require`, `verify-ca`, `verify-full`; `no-verify` is `require`. See [sslmode](#sslmode)',
  ),
  ssl: z
    .literal('true', { error: 'only true is supported; use sslmode instead' })
    .optional()
    .describe('`true` means `sslmode=require`, as in JDBC and libpq. Not together with `sslmode`'),
  sslrootcert: text.describe(
    'a file of trusted root certificates in PEM format; `system` for those of the machine and `NODE_EXTRA_CA_CERTS`',
  ),
  sslcert: text.describe('a file with the client certificate; needs `sslkey`'),
  sslkey: text.describe('a file with the private key of `sslcert`'),
  application_name: text.describe('the name that the server shows for a session; default `synth-lab-data`'),
  connect_timeout: z
    .string()
    .regex(/^\d{1,6}$/, 'expected a number of whole seconds')
    .transform(Number)
    .optional()
    .describe(
      'seconds that one connection attempt may take, 0 for no limit; default the acquire timeout, which applies in addition',
    ),
  options: text.describe(
    'settings for each session, `-c search_path=lab` percent-encoded. Not [behind a pooler in transaction mode](#statements-that-a-pooler-forbids)',
  ),
  target_session_attrs: z
    .enum(sessionAttributes, { error: `expected one of: ${sessionAttributes.join(', ')}` })
    .optional()
    .describe(
      `${sessionAttributes.map((name) => `\`${name}\``).join(', ')}: a new connection to a server of another kind is closed`,
    ),
  host: text.describe('the host, when the URL has none before its path'),
  port: text.describe('the port, when the URL has none'),
});
export type Parameters = z.infer<typeof Parameters>;

/** The meaning of each supported parameter, for the documentation. */
export const parameterDescriptions: readonly (readonly [name: string, what: string])[] = Object.entries(
  Parameters.shape,
).map(([name, { description = '' }]) => [name, description]);

const supported = Object.keys(Parameters.shape).join(', ');

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
  const read = Parameters.safeParse(values);
  const issues = read.error?.issues ?? [];
  const { ssl, ...parameters } = read.data ?? {};
  return {
    parameters: ssl === undefined ? parameters : { ...parameters, sslmode: 'require' },
    problems: [
      ...[...twice].map((name) => `has the parameter${quotedName(name)} twice; keep one`),
      ...(names.includes('ssl') && names.includes('sslmode') ? ['has both ssl and sslmode; remove ssl'] : []),
      ...issues.flatMap((issue) => {
        if (issue.code !== 'unrecognized_keys') {
          const [name = ''] = issue.path.map(String);
          return [`has ${name}=${redactValue(String(values[name]))}: ${issue.message}`];
        }
        return issue.keys.map(
          (name) =>
            `has an unknown parameter${quotedName(name)}; ${equivalents[name] ?? `expected: ${supported}`}`,
        );
      }),
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
