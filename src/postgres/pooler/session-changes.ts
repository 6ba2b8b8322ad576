import type { ScanOptions } from '../sql/sql-scanner.ts';
import { isWord, statementsOf, type Token } from '../sql/statements.ts';
import { createsTemporaryObject } from '../client/temporary-objects.ts';

type Statement = readonly Token[];

interface Rule {
  readonly isBroken: (statement: Statement, inTransaction: boolean) => boolean;
  readonly remedy: string;
}

const rules: readonly Rule[] = [
  {
    isBroken: ([first, second]) =>
      isWord(first, 'set') && second !== undefined && !harmlessSettings.has(second.text),
    remedy:
      'a setting of the session would stay for others; give `settings` or `timeouts` to the unit of work, or write `set local` in it',
  },
  {
    isBroken: (statement) => lastArguments(statement, setConfig).some((last) => !isTrue(last)),
    remedy:
      'a setting of the session would stay for others; make the last argument of `set_config` a plain `true`, or give `settings` to the unit of work',
  },
  {
    isBroken: (statement) => statement.some((_, index) => isCall(statement, index, sessionLock)),
    remedy:
      'an advisory lock of the session would be left on a connection of others; take `pg_advisory_xact_lock`, which ends with the transaction',
  },
  {
    isBroken: ([first]) => isWord(first, 'listen'),
    remedy: 'the notifications would reach other clients; listen on a connection past the pooler',
  },
  {
    isBroken: ([first, second]) => isWord(first, 'prepare') && !isWord(second, 'transaction'),
    remedy:
      'the next transaction may have another connection, where the prepared statement is not known; send it unprepared',
  },
  {
    isBroken: (statement) => isWord(statement[0], 'declare') && isHeld(statement),
    remedy:
      'a cursor that outlives its transaction would stay for others; declare it without hold, and read it to its end in one unit of work',
  },
  {
    isBroken: (statement, inTransaction) => !inTransaction && createsTemporaryObject(statement),
    remedy:
      'a temporary table outside a transaction would stay for others; make it in the unit of work that needs it',
  },
  {
    isBroken: ([first]) => isWord(first, 'load'),
    remedy:
      'a library would be loaded into a connection of others; let the server load it (session_preload_libraries)',
  },
];

// The client's encoding is the same for all units of work, and poolers keep it apart for each client.
const harmlessSettings = new Set(['local', 'transaction', 'constraints', 'names', 'client_encoding']);
const setConfig = /^set_config$/i;
const sessionLock = /^pg_(?:try_)?advisory_lock(?:_shared)?$/i;

// Most texts hold nothing of this, so that their tokens need not be looked at. Behind the word it is linear in the text's length.
const suspicious =
  /\b(?:set|listen|prepare|declare|load)\b(?<=(?:^|[;\n\r]|\*\/)\s*\w+)|advisory_lock|set_config|\b(?:pg_)?temp(?:orary)?\b/i;

/**
 * Returns what to do instead of a text that would leave something on the server's connection for its next user; null when it leaves
 * nothing. The text alone is looked at, not what a function does in the server.
 */
export function findSessionChange(
  text: string,
  inTransaction: boolean,
  options?: ScanOptions,
): string | null {
  if (!suspicious.test(text)) return null;
  for (const statement of statementsOf(text, options)) {
    const rule = rules.find(({ isBroken }) => isBroken(statement, inTransaction));
    if (rule) return rule.remedy;
  }
  return null;
}

/** Whether a function whose name matches is called at this token. */
function isCall(statement: Statement, index: number, name: RegExp): boolean {
  const { kind, text = '' } = statement[index] ?? {};
  return (kind === 'word' || kind === 'quoted name') && name.test(text) && statement[index + 1]?.text === '(';
}

/** The last argument of each call of a function. */
function lastArguments(statement: Statement, name: RegExp): Statement[] {
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

/** Whether a cursor is declared `with hold`, which comes before its query. */
function isHeld(statement: Statement): boolean {
  const query = statement.findIndex((token) => isWord(token, 'for'));
  return statement
    .slice(0, query)
    .some((token, index) => isWord(token, 'with') && isWord(statement[index + 1], 'hold'));
}
