import { SqlScanner, type ScanOptions, type TokenKind } from './sql-scanner.ts';

/** A token without its spelling. */
export interface Token {
  readonly kind: TokenKind;
  /** A word in lower case, a name without its quotes; any other token as it is written. */
  readonly text: string;
}

/**
 * Returns the statements of a text, each as its tokens, without spaces, comments and semicolons. The body of a function in standard SQL
 * (`begin atomic … end`) belongs to the statement that creates it. Empty statements are left out.
 */
export function statementsOf(text: string, options?: ScanOptions): Token[][] {
  const statements: Token[][] = [];
  const scanner = new SqlScanner(text, options);
  let tokens: Token[] = [];
  let parentheses = 0;
  let blocks = 0;
  const end = (): void => {
    if (tokens.length > 0) statements.push(tokens);
    tokens = [];
    [parentheses, blocks] = [0, 0];
  };
  while (scanner.next()) {
    if (scanner.kind === 'space' || scanner.kind === 'comment') continue;
    const token = tokenAt(scanner);
    if (token.kind === 'sign') {
      // A rule has its commands in parentheses.
      if (token.text === ';' && parentheses <= 0 && blocks === 0) {
        end();
        continue;
      }
      if (token.text === '(') parentheses++;
      if (token.text === ')') parentheses--;
    } else if (token.kind === 'word') blocks += blockChange(token.text, tokens, blocks);
    tokens.push(token);
  }
  end();
  return statements;
}

/** Returns whether a word of a statement opens (1) or closes (-1) a block, or neither (0). */
function blockChange(word: string, before: readonly Token[], blocks: number): -1 | 0 | 1 {
  if (word === 'atomic')
    return blocks === 0 && isWord(before.at(-1), 'begin') && isWord(before[0], 'create') ? 1 : 0;
  if (blocks === 0 || (word !== 'case' && word !== 'end')) return 0;
  const last = before.at(-1);
  // After these, the word is a name.
  if (isWord(last, 'as') || last?.text === '.') return 0;
  return word === 'case' ? 1 : -1;
}

/** Returns whether a token is one of the keywords `words`, in lower case. */
export function isWord(token: Token | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'word' && words.includes(token.text);
}

function tokenAt({ text, kind, start, end, isOpen }: SqlScanner): Token {
  const written = text.slice(start, end);
  if (kind === 'word') return { kind, text: written.toLowerCase() };
  if (kind === 'quoted name') return { kind, text: unquoted(isOpen ? `${written}"` : written) };
  return { kind, text: written };
}

function unquoted(name: string): string {
  return name.slice(name.indexOf('"') + 1, -1).replaceAll('""', '"');
}
