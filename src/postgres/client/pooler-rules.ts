import { bareStatements } from './bare-sql.ts';

interface Rule {
  readonly broken: (statement: string, inTransaction: boolean) => boolean;
  readonly says: string;
}

const rules: readonly Rule[] = [
  {
    // The client's encoding is the same for everybody, and poolers keep it apart for each.
    broken: (statement) =>
      /^set\s+(?!(?:local|transaction|constraints|names|client_encoding)\b)/i.test(statement),
    says: 'a setting of the session would stay for others; give `settings` or `timeouts` to the unit of work, or write `set local` in it',
  },
  {
    broken: (statement) => callsOf(statement, 'set_config').some((last) => last.toLowerCase() !== 'true'),
    says: 'a setting of the session would stay for others; make the last argument of `set_config` a plain `true`, or give `settings` to the unit of work',
  },
  {
    broken: (statement) => /\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(/i.test(statement),
    says: 'an advisory lock of the session would be left on a connection of others; take `pg_advisory_xact_lock`, which ends with the transaction',
  },
  {
    broken: (statement) => /^listen\b/i.test(statement),
    says: 'what is listened for would reach somebody else; listen on a connection past the pooler',
  },
  {
    broken: (statement) => /^prepare\s+(?!transaction\b)/i.test(statement),
    says: 'the next transaction may have another connection, where the prepared statement is not known; send it unprepared',
  },
  {
    broken: (statement) => /^declare\b[^]*\bwith\s+hold\b/i.test(statement),
    says: 'a cursor that outlives its transaction would stay for others; declare it without hold, and read it to its end in one unit of work',
  },
  {
    broken: (statement, inTransaction) =>
      !inTransaction &&
      /^(?:create\s+(?:or\s+replace\s+)?(?:(?:global|local)\s+)?temp(?:orary)?\b|select\b[^]*\binto\s+temp(?:orary)?\b)/i.test(
        statement,
      ),
    says: 'a temporary table outside a transaction would stay for others; make it in the unit of work that needs it',
  },
  {
    broken: (statement) => /^load\b/i.test(statement),
    says: 'a library would be loaded into a connection of others; let the server load it (session_preload_libraries)',
  },
];

// Tells most statements apart without a closer look. A statement begins a text, or comes after another one or a comment.
const suspicious =
  /(?:^|[;\n\r]|\*\/)\s*(?:set|listen|prepare|declare|create|load)\b|advisory_lock|set_config|\binto\s+temp/i;

/**
 * What `text` would leave on the server's connection for whoever uses it next, and what to do instead; null when it leaves nothing. The
 * text alone tells: what a function does in the server is not seen.
 */
export function leftOnSession(text: string, inTransaction: boolean): string | null {
  if (!suspicious.test(text)) return null;
  for (const statement of bareStatements(text)) {
    const rule = rules.find(({ broken }) => broken(statement, inTransaction));
    if (rule) return rule.says;
  }
  return null;
}

/** The last argument of each call of `name`. */
function callsOf(statement: string, name: string): string[] {
  const calls = new RegExp(String.raw`\b${name}\s*\(`, 'gi');
  return [...statement.matchAll(calls)].map(({ 0: call, index }) => {
    const from = index + call.length;
    let [depth, start, end] = [1, from, from];
    for (; depth > 0 && end < statement.length; end++) {
      const character = statement[end];
      if (character === '(') depth++;
      if (character === ')') depth--;
      if (character === ',' && depth === 1) start = end + 1;
    }
    return statement.slice(start, depth === 0 ? end - 1 : end).trim();
  });
}
