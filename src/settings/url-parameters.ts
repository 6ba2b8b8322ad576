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
  host: text,
  port: text,
  sslmode: SslModeText.optional(),
  sslrootcert: text,
  sslcert: text,
  sslkey: text,
  application_name: text,
  connect_timeout: z
    .string()
    .regex(/^\d{1,6}$/, 'it is a number of whole seconds')
    .transform(Number)
    .optional(),
  options: text,
  target_session_attrs: z
    .enum(sessionAttributes, { error: `${sessionAttributes.join(', ')} are understood` })
    .optional(),
});
export type Parameters = z.infer<typeof Parameters>;

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
  // As libpq has it, for the sake of JDBC.
  const values = given.map(([name, value]) =>
    name === 'ssl' && value === 'true' ? ['sslmode', 'require'] : [name, value],
  );
  const read = Parameters.safeParse(Object.fromEntries(values));
  const issues = read.error?.issues ?? [];
  return {
    parameters: read.data ?? {},
    problems: [
      ...[...twice].map((name) => `has the parameter${quoted(name)} twice`),
      ...issues.flatMap((issue) => {
        if (issue.code !== 'unrecognized_keys') {
          const [name = ''] = issue.path.map(String);
          return [`has ${name}=${shown(String(Object.fromEntries(values)[name]))}: ${issue.message}`];
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
