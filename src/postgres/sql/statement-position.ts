import type { TokenKind } from './sql-scanner.ts';

// Operators whose operands are found as those of a literal, and whose result, a boolean, is not usually repeated in `group by`.
const comparisons: ReadonlySet<string> = new Set([
  '=',
  '<>',
  '!=',
  '<',
  '>',
  '<=',
  '>=',
  '~',
  '~*',
  '!~',
  '!~*',
  '@>',
  '<@',
  '&&',
  '?',
  '?|',
  '?&',
  '@@',
]);

const wordsBefore: ReadonlySet<string> = new Set(['like', 'ilike', 'between', 'and', 'then', 'else']);

// Functions whose arguments have a type each, so that it is known for a parameter too. That of others may be "any".
const typedFunctions: ReadonlySet<string> = new Set([
  'any',
  'all',
  'some',
  'lower',
  'upper',
  'to_tsquery',
  'plainto_tsquery',
  'phraseto_tsquery',
  'websearch_to_tsquery',
]);

/** A clause of a query or a change, by the keyword that begins it. */
interface Clause {
  /** Whether its expressions stand nowhere else in the statement. */
  readonly accepts: boolean;
  /** The clauses that it follows, where the keyword is a name or part of a type in others; undefined for any. */
  readonly after?: readonly string[];
}

// In the clauses of `select` and `group by`, PostgreSQL must recognize equal expressions.
const clauses: ReadonlyMap<string, Clause> = new Map<string, Clause>([
  ...['from', 'where', 'on'].map((word) => [word, { accepts: true }] as const),
  ['with', { accepts: true, after: [''] }],
  ['set', { accepts: true, after: ['update'] }],
  ['values', { accepts: true, after: ['', 'into'] }],
  ['using', { accepts: true, after: ['delete', 'from', 'on', 'using'] }],
  ['do', { accepts: true, after: ['conflict'] }],
  ['conflict', { accepts: false, after: ['on'] }],
  ...['select', 'insert', 'into', 'update', 'delete', 'group', 'having', 'order', 'window'].map(
    (word) => [word, { accepts: false }] as const,
  ),
  ...['limit', 'offset', 'fetch', 'for', 'returning', 'union', 'intersect', 'except'].map(
    (word) => [word, { accepts: false }] as const,
  ),
]);

const queries: ReadonlySet<string> = new Set(['select', 'insert', 'update', 'delete', 'with', 'values']);

/** What a pair of parentheses has, or the statement itself. */
interface Level {
  /** Whether a parameter may stand where it was opened. */
  readonly isOuterAccepted: boolean;
  /** Whether its elements are values: of a list, of a row, or the arguments of a function with known types. */
  readonly hasValues: boolean;
  isEmpty: boolean;
  isQuery: boolean;
  clause: string;
  /** Whether `group by` has more than names, which `having` could repeat. */
  groupsExpressions: boolean;
}

/** The position in a statement, token by token, by the clauses and parentheses around it. Comments and spaces are no tokens. */
export class StatementPosition {
  readonly #levels: Level[] = [newLevel(true, false)];
  #previous = '';
  #previousKind: TokenKind = 'space';

  /** Whether PostgreSQL reads a parameter at this position as it reads a literal. */
  get acceptsParameter(): boolean {
    const level = this.#levels.at(-1);
    if (!level || !isAccepted(level)) return false;
    if (this.#previousKind === 'operator') return comparisons.has(this.#previous);
    if (this.#previousKind === 'word') return wordsBefore.has(this.#previous);
    return this.#isElement(level);
  }

  /** Moves behind a token. Returns false when the statement closes a parenthesis that it has not opened. */
  move(kind: TokenKind, written: string): boolean {
    const text = kind === 'word' ? written.toLowerCase() : written;
    const level = this.#levels.at(-1);
    if (!level) return false;
    if (kind === 'word') this.#moveBehindWord(level, text);
    else if (level.clause === 'group' && kind !== 'quoted name' && text !== ',' && text !== '.')
      level.groupsExpressions = true;
    if (kind === 'sign' && text === '(')
      this.#levels.push(newLevel(isAccepted(level), this.#opensValues(level)));
    if (kind === 'sign' && text === ')') this.#levels.pop();
    level.isEmpty = false;
    this.#previous = text;
    this.#previousKind = kind;
    return this.#levels.length > 0;
  }

  #moveBehindWord(level: Level, word: string): void {
    if (level.isEmpty && queries.has(word)) level.isQuery = true;
    const clause = level.isQuery ? clauses.get(word) : undefined;
    // `as` and `.` are before a name, `distinct` is before `on (…)` in `select`, and in `is distinct from`.
    if (!clause || ['as', '.', 'distinct'].includes(this.#previous)) return;
    if (clause.after && !clause.after.includes(level.clause)) return;
    // `on conflict (…) where …` names an index.
    if (level.clause === 'conflict' && word !== 'do') return;
    if (word === 'select') level.groupsExpressions = false;
    level.clause = word;
  }

  /** Whether the position is at the beginning of an element of a list of values. */
  #isElement(level: Level): boolean {
    return level.hasValues && !level.isQuery && (this.#previous === '(' || this.#previous === ',');
  }

  /** Whether a parenthesis at this position opens a list of values. */
  #opensValues(level: Level): boolean {
    const previous = this.#previous;
    if (this.#previousKind === 'operator') return comparisons.has(previous);
    if (this.#previousKind === 'word')
      return previous === 'in' || previous === 'values' || typedFunctions.has(previous);
    return this.#isElement(level) || (previous === ',' && level.isQuery && level.clause === 'values');
  }
}

function newLevel(isOuterAccepted: boolean, hasValues: boolean): Level {
  return { isOuterAccepted, hasValues, isEmpty: true, isQuery: false, clause: '', groupsExpressions: false };
}

function isAccepted({ isOuterAccepted, isQuery, clause, groupsExpressions }: Level): boolean {
  if (!isOuterAccepted || !isQuery) return isOuterAccepted;
  return clause === 'having' ? !groupsExpressions : (clauses.get(clause)?.accepts ?? false);
}
