import { CompiledQuery } from 'kysely';
import { SettingsError } from '../../errors.ts';
import { parseSetting } from '../../settings/resolve-settings.ts';

/** How long the server bears with a transaction, in milliseconds; 0 for ever. What is left out is as the role or the server has it. */
export interface TransactionTimeouts {
  /** For each statement: then it is canceled (57014, `UnavailableError`). */
  readonly statement?: number | undefined;
  /** For each lock that somebody else holds: then the statement is refused (55P03, `ContentionError`). */
  readonly lock?: number | undefined;
  /** Between two statements: then the connection is ended (25P03, `ConnectionError`). */
  readonly idleInTransaction?: number | undefined;
}

/** Settings of the server's by their names (`app.user`, `role`), as a transaction has them. */
export type TransactionSettings = Readonly<Record<string, string>>;

const parameters = {
  statement: 'statement_timeout',
  lock: 'lock_timeout',
  idleInTransaction: 'idle_in_transaction_session_timeout',
} as const satisfies Record<keyof TransactionTimeouts, string>;

// As PostgreSQL has it for its own and for custom ones.
const settingName = /^[a-z_][\w$]*(?:\.[a-z_][\w$]*)*$/i;

/**
 * The statements that give these timeouts to the transaction in which they are run, to be sent along with its `begin`; empty for
 * none.
 *
 * @throws SettingsError when one is no number of milliseconds.
 */
export function timeoutStatements(timeouts: TransactionTimeouts): string {
  return entriesOf(timeouts)
    .map(([parameter, milliseconds]) => `set local ${parameter} = ${milliseconds}`)
    .join('; ');
}

/** What a transaction begins with. */
export interface LocalSettings {
  /** Gives it all, as parameters. */
  readonly query: CompiledQuery;
  /** In milliseconds, 0 for ever; undefined where the transaction has none of its own. */
  readonly statementTimeout: number | undefined;
}

/**
 * What gives timeouts and settings to the transaction that begins with it; null for none.
 *
 * @throws SettingsError when a name or a value is none. The message holds no value.
 */
export function localSettings(
  timeouts: TransactionTimeouts = {},
  settings: TransactionSettings = {},
): LocalSettings | null {
  const ownTimeouts = entriesOf(timeouts);
  const given = [
    ...ownTimeouts.map(([parameter, milliseconds]) => [parameter, String(milliseconds)] as const),
    ...Object.entries(settings).map(checked),
  ];
  if (given.length === 0) return null;
  const calls = given.map((_, at) => `set_config($${at * 2 + 1}, $${at * 2 + 2}, true)`);
  return {
    query: CompiledQuery.raw(`select ${calls.join(', ')}`, given.flat()),
    statementTimeout: ownTimeouts.find(([parameter]) => parameter === parameters.statement)?.[1],
  };
}

function entriesOf(timeouts: TransactionTimeouts): [parameter: string, milliseconds: number][] {
  return Object.entries(timeouts)
    .filter(([, milliseconds]) => milliseconds !== undefined)
    .map(([name, milliseconds]) => {
      if (!isTimeout(name)) {
        throw new SettingsError(`timeouts.${name} is none; there are ${Object.keys(parameters).join(', ')}`);
      }
      return [parameters[name], parseSetting(`timeouts.${name}`, milliseconds) ?? 0];
    });
}

function isTimeout(name: string): name is keyof typeof parameters {
  return Object.hasOwn(parameters, name);
}

// Plain JavaScript may hand over what the types forbid: a tenant that somebody forgot to look up.
function checked([name, value]: [string, unknown]): readonly [string, string] {
  if (!settingName.test(name)) {
    throw new SettingsError(
      `settings has ${JSON.stringify(name)}, which is no name of a setting; for example "app.user"`,
    );
  }
  const timeout = Object.entries(parameters).find(([, parameter]) => parameter === name.toLowerCase());
  if (timeout) throw new SettingsError(`settings has "${name}"; write timeouts.${timeout[0]} instead`);
  // PostgreSQL reads a setting that was never made as an empty one, once any transaction of the connection has made it.
  if (typeof value !== 'string' || value === '') {
    const shown = value === '' ? 'empty' : value === null ? 'null' : typeof value;
    throw new SettingsError(`settings["${name}"] is ${shown}; give it a text that is not empty`);
  }
  return [name, value];
}
