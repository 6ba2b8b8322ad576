import { z } from 'zod';

/** How much a connection is protected, with libpq's meaning. `allow` is not among them: it encrypts only where it has to. */
export const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

/** Which servers will do, with libpq's meaning; `any` and `prefer-standby` take the one that there is. */
const sessionAttributes = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type SessionAttributes = (typeof sessionAttributes)[number];

/** An `sslmode` as somebody writes it; `no-verify` is what other drivers call `require`. */
export const SslModeText = z
  .enum([...sslModes, 'no-verify'], {
    error: ({ input }) =>
      input === 'allow'
        ? 'write prefer, which encrypts where the server can, or require'
        : `${sslModes.join(', ')} are understood`,
  })
  .transform((mode): SslMode => (mode === 'no-verify' ? 'require' : mode));

// An empty value would be a default of libpq's for some, and wrong for others.
const text = z.string().min(1, 'leave it out, or give it a value').optional();

/** The parameters of a URL that are honoured. Any other is refused, since dropping it would change what somebody asked for. */
const Parameters = z.strictObject({
  sslmode: SslModeText.optional().describe(
    '`disable`, `prefer`, `require`, `verify-ca`, `verify-full`; `no-verify` is `require`. See [sslmode](#sslmode)',
  ),
  ssl: z
    .literal('true', { error: 'only true is understood: write sslmode instead' })
    .optional()
    .describe('`true` is `sslmode=require`, as JDBC and libpq have it. Not together with `sslmode`'),
  sslrootcert: text.describe(
    'a file of certificates in PEM format that may vouch for the server; `system` for those that the machine trusts and `NODE_EXTRA_CA_CERTS`',
  ),
  sslcert: text.describe('a file with our certificate, for a server that asks for one; needs `sslkey`'),
  sslkey: text.describe('a file with its key'),
  application_name: text.describe('the name that the server shows for a session; default `synth-lab-data`'),
  connect_timeout: z
    .string()
    .regex(/^\d{1,6}$/, 'it is a number of whole seconds')
    .transform(Number)
    .optional()
    .describe(
      'seconds that one connection attempt may take, 0 for no limit; default the acquire timeout, which applies in addition',
    ),
  options: text.describe(
    'settings for each session, `-c search_path=lab` percent-encoded. Not [behind a pooler in transaction mode](#statements-that-a-pooler-forbids)',
  ),
  target_session_attrs: z
    .enum(sessionAttributes, { error: `${sessionAttributes.join(', ')} are understood` })
    .optional()
    .describe(
      `${sessionAttributes.map((name) => `\`${name}\``).join(', ')}: a new connection to a server of another kind is closed`,
    ),
  host: text.describe('the host, where the URL has none before its path'),
  port: text.describe('the port, where the URL has none'),
});
export type Parameters = z.infer<typeof Parameters>;

/** What each honoured parameter means, for the documentation. */
export const parameterDescriptions: readonly (readonly [name: string, what: string])[] = Object.entries(
  Parameters.shape,
).map(([name, { description = '' }]) => [name, description]);

const understood = Object.keys(Parameters.shape).join(', ');

// What the URLs of other stacks hold, and what says the same here.
const elsewhere: Partial<Record<string, string>> = {
  pgbouncer: 'set DATABASE_POOL_MODE=transaction',
  connection_limit: 'set DATABASE_POOL_MAX',
  pool_timeout: 'set DATABASE_POOL_ACQUIRE_TIMEOUT',
  statement_timeout: 'set DATABASE_STATEMENT_TIMEOUT',
  user: 'write it before the host',
  password: 'write it before the host',
  dbname: 'write it behind the host',
};

/** The parameters of a URL, or what is wrong with them, one sentence each. */
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
      ...[...twice].map((name) => `has the parameter${quoted(name)} twice`),
      ...(names.includes('ssl') && names.includes('sslmode')
        ? ['has both ssl and sslmode: leave ssl out']
        : []),
      ...issues.flatMap((issue) => {
        if (issue.code !== 'unrecognized_keys') {
          const [name = ''] = issue.path.map(String);
          return [`has ${name}=${shown(String(values[name]))}: ${issue.message}`];
        }
        return issue.keys.map(
          (name) =>
            `has a parameter${quoted(name)} that is not understood: ${elsewhere[name] ?? `${understood} are`}`,
        );
      }),
    ],
  };
}

// Shown only if it looks like a name; anything else may be a piece of a secret.
function quoted(name: string): string {
  return /^[a-z_]{1,40}$/i.test(name) ? ` "${name}"` : '';
}

/** A value as a message may show it: whole if it is short and plain, since anything else may be a secret in the wrong place. */
export function shown(value: string): string {
  return /^[\w .+-]{0,40}$/.test(value) ? value : '…';
}
