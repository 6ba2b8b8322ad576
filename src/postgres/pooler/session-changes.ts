import type { ScanOptions } from '../sql/sql-scanner.ts';
import { isWord, statementsOf, type Token } from '../sql/statements.ts';
import { createsTemporaryObject } from '../client/temporary-objects.ts';

type Statement = readonly Token[];

interface Rule {
  readonly matches: (statement: Statement, inTransaction: boolean) => boolean;
  readonly remedy: string;
}

const rules: readonly Rule[] = [
  {
    matches: ([first, second]) =>
      isWord(first, 'set') && second !== undefined && !harmlessSettings.has(second.text),
    remedy:
      'the setting would apply to other clients of the server connection; pass `settings` or `timeouts` to the unit of work, or use `set local`',
  },
  {
    matches: (statement) => lastArgumentsOf(statement, setConfigName).some((last) => !isTrue(last)),
    remedy:
      'the setting would apply to other clients of the server connection; pass the literal `true` as the last argument of `set_config`, or pass `settings` to the unit of work',
  },
  {
    matches: (statement) => statement.some((_, index) => isCall(statement, index, sessionLockName)),
    remedy:
      'the advisory lock of the session would stay on a server connection of other clients; use `pg_advisory_xact_lock`, which ends with the transaction',
  },
  {
    matches: ([first]) => isWord(first, 'listen'),
    remedy: 'the notifications would reach other clients; listen on a connection that bypasses the pooler',
  },
  {
    matches: ([first, second]) => isWord(first, 'prepare') && !isWord(second, 'transaction'),
    remedy:
      'the next transaction may get another server connection, where the prepared statement does not exist; send it unprepared',
  },
  {
    matches: (statement) => isWord(statement[0], 'declare') && isHeld(statement),
    remedy:
      'the cursor would stay on a server connection of other clients; declare it without hold, and read it to its end in one unit of work',
  },
  {
    matches: (statement, inTransaction) => !inTransaction && createsTemporaryObject(statement),
    remedy:
      'a temporary table outside a transaction would stay on a server connection of other clients; create it in the unit of work that needs it',
  },
  {
    matches: ([first]) => isWord(first, 'load'),
    remedy:
      'the library would be loaded on a server connection of other clients; configure the server to load it (session_preload_libraries)',
  },
];

// The client's encoding is the same for all units of work, and poolers restore it for each client.
const harmlessSettings = new Set(['local', 'transaction', 'constraints', 'names', 'client_encoding']);
const setConfigName = /^set_config$/i;
const sessionLockName = /^pg_(?:try_)?advisory_lock(?:_shared)?$/i;

// Most texts have none of these words and need no tokens. The lookbehind follows the word, so that the time is linear in the text's length.
const suspicious =
  /\b(?:set|listen|prepare|declare|load)\b(?<=(?:^|[;\n\r]|\*\/)\s*\w+)|advisory_lock|set_config|\b(?:pg_)?temp(?:orary)?\b/i;

/**
 * Returns the remedy for the first statement of a text that would change the session of the server connection; null without one. The effects
 * of functions in the server are not detected.
 */
export function findSessionChange(
  text: string,
  inTransaction: boolean,
  options?: ScanOptions,
): string | null {
  if (!suspicious.test(text)) return null;
  for (const statement of statementsOf(text, options)) {
    const rule = rules.find(({ matches }) => matches(statement, inTransaction));
    if (rule) return rule.remedy;
  }
  return null;
}

/** Returns whether a function whose name matches is called at this token. */
function isCall(statement: Statement, index: number, name: RegExp): boolean {
  const { kind, text = '' } = statement[index] ?? {};
  return (kind === 'word' || kind === 'quoted name') && name.test(text) && statement[index + 1]?.text === '(';
}

/** Returns the last argument of each call of a function. */
function lastArgumentsOf(statement: Statement, name: RegExp): Statement[] {
  return statement.flatMap((_, index) =>
    isCall(statement, index, name) ? [lastArgument(statement, index + 2)] : [],
  );
}

function lastArgument(statement: Statement, from: number): Statement {
  let [depth, start, end] = [1, from, from];
  for (; end < statement.length; end++) {
    const { kind, text } = statement[end] ?? {};
    if (kind !== 'sign') continue;
    if (text === '(') depth++;
    if (text === ')' && --depth === 0) break;
    if (text === ',' && depth === 1) start = end + 1;
  }
  return statement.slice(start, end);
}

function isTrue([value, more]: Statement): boolean {
  return isWord(value, 'true') && more === undefined;
}

/** Returns whether a cursor is declared `with hold`, which precedes its query. */
function isHeld(statement: Statement): boolean {
  const query = statement.findIndex((token) => isWord(token, 'for'));
  return statement
    .slice(0, query)
    .some((token, index) => isWord(token, 'with') && isWord(statement[index + 1], 'hold'));
}
