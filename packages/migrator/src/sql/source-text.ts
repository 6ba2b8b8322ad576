import type { Node, TypeName } from 'libpg-query';
import { parseSql } from './parse-sql.ts';

/** A token's place in a text, in bytes. */
interface Token {
  readonly start: number;
  readonly end: number;
}

// Parentheses, signs and prefix operators may come before the first part that has a location.
const leadingTokens = 16;

/**
 * The text of one statement, which finds the parts of its tree again. A part of the text is only returned if PostgreSQL's grammar parses
 * it to the same tree.
 */
export class SourceText {
  readonly #bytes: Buffer;
  readonly #tokens: readonly Token[];

  private constructor(sql: string, tokens: readonly Token[]) {
    this.#bytes = Buffer.from(sql);
    this.#tokens = tokens;
  }

  /** Splits a statement by PostgreSQL's scanner. */
  static async of(sql: string): Promise<SourceText> {
    const { scan } = await import('libpg-query');
    // The package fails to parse the scanner's report of an invalid token; the grammar would have failed before.
    const scanned = await scan(sql).catch(() => ({ tokens: [] }));
    return new SourceText(
      sql,
      scanned.tokens.filter(({ tokenName }) => tokenName !== 'SQL_COMMENT' && tokenName !== 'C_COMMENT'),
    );
  }

  /** Returns the text of an expression, without parentheses around it; null when it is not found. */
  expression(node: Node): Promise<string | null> {
    return this.#find(node, 'select (1)', (text) => `select (${text}\n)`);
  }

  /** Returns the text of a type, with its modifiers; null when it is not found. */
  type(node: TypeName): Promise<string | null> {
    return this.#find(
      { TypeCast: { arg: { A_Const: { isnull: true } }, typeName: node } },
      'select null::int',
      (text) => `select null::${text}`,
    );
  }

  /** Finds the shortest part whose query, as `wrap` writes it, has this node where the query `template` has its only column. */
  async #find(node: Node, template: string, wrap: (text: string) => string): Promise<string | null> {
    const places = locationsIn(node);
    const [first, last] = [Math.min(...places), Math.max(...places)];
    const wanted = (await queryOf(template, node)) ?? '';
    const nearest = this.#tokens.findLastIndex(({ start }) => start <= first);
    for (let from = nearest; from >= Math.max(0, nearest - leadingTokens); from--) {
      for (let to = from; to < this.#tokens.length; to++) {
        const [begin, end] = [this.#tokens[from]?.start ?? 0, this.#tokens[to]?.end ?? 0];
        if (end <= last) continue;
        const text = this.#bytes.toString('utf8', begin, end);
        if ((await queryOf(wrap(text))) === wanted) return text;
      }
    }
    return null;
  }
}

/** Returns the tree of a query with one column, as text without locations, with `column` in place of its column; null for any other text. */
async function queryOf(sql: string, column?: Node): Promise<string | null> {
  const [statement, another] = (await parseSql(sql)) ?? [];
  if (!statement || another || !('SelectStmt' in statement.node)) return null;
  const { targetList: [target] = [] } = statement.node.SelectStmt;
  if (column && target && 'ResTarget' in target) target.ResTarget.val = column;
  return JSON.stringify(statement.node, (key, value: unknown) => (isPlace(key) ? undefined : value));
}

// PostgreSQL 18 also records where a list begins and ends.
function isPlace(key: string): boolean {
  return key === 'location' || /(?:^|_)list_(?:start|end)$/.test(key);
}

function locationsIn(tree: unknown): number[] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]: [string, unknown]) =>
    key === 'location' && typeof value === 'number' && value >= 0 ? [value] : locationsIn(value),
  );
}
