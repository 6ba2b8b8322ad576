import { loadModule, scanSync } from 'libpg-query';
import type { TokenKind } from '../../../src/postgres/sql/sql-scanner.ts';

interface ScannedToken {
  readonly kind: TokenKind;
  readonly text: string;
}

/** The tokens of a text without spaces by PostgreSQL's scanner, or its error. */
export type Scanned = readonly ScannedToken[] | 'unterminated' | 'refused';

/** Loads PostgreSQL's own scanner, compiled to WebAssembly. */
export async function loadPostgresScanner(): Promise<(text: string) => Scanned> {
  await loadModule();
  return (text) => {
    try {
      return tokensOf(text);
    } catch (error) {
      // The package parses the scanner's message as JSON, and its error quotes the beginning.
      return String(error).includes('"unterminat') ? 'unterminated' : 'refused';
    }
  };
}

function tokensOf(text: string): ScannedToken[] {
  const bytes = Buffer.from(text);
  const tokens: ScannedToken[] = [];
  let prefix = '';
  for (const { start, end, tokenType, keywordName } of scanSync(text).tokens) {
    const written = prefix + bytes.toString('utf8', start, end);
    // `N'a'` is two tokens here: a keyword of one letter, of which there are no others, and the string.
    prefix = keywordName !== 'NO_KEYWORD' && written.length === 1 ? written : '';
    if (prefix === '') tokens.push({ kind: kindOf(tokenType, keywordName, written), text: written });
  }
  return tokens;
}

function kindOf(type: number, keyword: string, text: string): TokenKind {
  if (keyword !== 'NO_KEYWORD') return 'word';
  if (type < 256) return '+-*/%^<>='.includes(text) ? 'operator' : 'sign';
  if (type === 258 && text.startsWith('"')) return 'quoted name';
  return kinds[type] ?? 'operator';
}

// By the numbers of the grammar's tokens in PostgreSQL 18.
const kinds: Readonly<Record<number, TokenKind>> = {
  258: 'word',
  259: 'quoted name',
  260: 'number',
  261: 'string',
  262: 'string',
  263: 'string',
  264: 'string',
  266: 'number',
  267: 'parameter',
  275: 'comment',
  276: 'comment',
};
