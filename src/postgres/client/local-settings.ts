import { CompiledQuery } from 'kysely';
import { SettingsError } from '../../errors.ts';
import { parseSetting } from '../../settings/resolve-settings.ts';

/** The server's timeouts for a transaction, in milliseconds; 0 for no limit. Default, for each: the setting of the role or the server. */
export interface TransactionTimeouts {
  /** For each statement, which is then canceled (57014, `UnavailableError`). */
  readonly statement?: number | undefined;
  /** For each lock that another transaction holds; the statement fails then (55P03, `ContentionError`). */
  readonly lock?: number | undefined;
  /** Between two statements; the server closes the connection then (25P03, `ConnectionLostError`). */
  readonly idleInTransaction?: number | undefined;
}

/** Settings of the server for a transaction, by name (`app.user`, `role`). */
export type TransactionSettings = Readonly<Record<string, string>>;

const parameters = {
  statement: 'statement_timeout',
  lock: 'lock_timeout',
  idleInTransaction: 'idle_in_transaction_session_timeout',
} as const satisfies Record<keyof TransactionTimeouts, string>;

// PostgreSQL's rule, for built-in and custom settings.
const settingName = /^[a-z_][\w$]*(?:\.[a-z_][\w$]*)*$/i;

/**
 * Returns the statements that set these timeouts for a transaction, to be sent with its `begin`; empty for none.
 *
 * @throws SettingsError when one is not a number of milliseconds.
 */
export function timeoutStatements(timeouts: TransactionTimeouts): string {
  return entriesOf(timeouts)
    .map(([parameter, milliseconds]) => `set local ${parameter} = ${milliseconds}`)
    .join('; ');
}

/** The settings of a transaction. */
export interface LocalSettings {
  /** The statement that sets all of them, with parameters. */
  readonly query: CompiledQuery;
  /** In milliseconds, 0 for no limit; undefined when the transaction sets none. */
  readonly statementTimeout: number | undefined;
}

/**
 * Returns the statement that sets timeouts and settings at the beginning of a transaction; null when there are none.
 *
 * @throws SettingsError when a name or a value is invalid. The message has no value.
 */
export function localSettings(
  timeouts: TransactionTimeouts = {},
  settings: TransactionSettings = {},
): LocalSettings | null {
  const ownTimeouts = entriesOf(timeouts);
  const given = [
    ...ownTimeouts.map(([parameter, milliseconds]) => [parameter, String(milliseconds)] as const),
    ...Object.entries(settings).map(checkSetting),
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
      if (!isTimeoutName(name)) {
        throw new SettingsError(
          `unknown setting "timeouts.${name}"; expected one of: ${Object.keys(parameters).join(', ')}`,
        );
      }
      return [parameters[name], parseSetting(`timeouts.${name}`, milliseconds) ?? 0];
    });
}

function isTimeoutName(name: string): name is keyof typeof parameters {
  return Object.hasOwn(parameters, name);
}

// JavaScript may pass a value that the types forbid, such as the undefined id of a tenant that was not found.
function checkSetting([name, value]: [string, unknown]): readonly [string, string] {
  if (!settingName.test(name)) {
    throw new SettingsError(
      `invalid name ${JSON.stringify(name)} in settings; expected a name such as "app.user"`,
    );
  }
  const timeout = Object.entries(parameters).find(([, parameter]) => parameter === name.toLowerCase());
  if (timeout)
    throw new SettingsError(`"${name}" in settings is a timeout: set timeouts.${timeout[0]} instead`);
  // PostgreSQL reads an unset custom setting as empty, once any transaction of the connection has set it.
  if (typeof value !== 'string' || value === '') {
    const shown = value === '' ? 'empty' : value === null ? 'null' : typeof value;
    throw new SettingsError(`settings["${name}"] is ${shown}; expected a non-empty text`);
  }
  return [name, value];
}
