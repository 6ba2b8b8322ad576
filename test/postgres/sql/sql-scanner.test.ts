import * as fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SqlScanner, type ScanOptions, type TokenKind } from '../../../src/postgres/sql/sql-scanner.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { sqlText } from './sql-text.ts';
import { postgresFiles } from './postgres-files.ts';
import { loadPostgresScanner, type Scanned } from './postgres-scanner.ts';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly isOpen: boolean;
}

function scan(text: string, options?: ScanOptions): Token[] {
  const scanner = new SqlScanner(text, options);
  const tokens: Token[] = [];
  while (scanner.next()) {
    const { kind, start, end, isOpen } = scanner;
    tokens.push({ kind, text: text.slice(start, end), isOpen });
  }
  return tokens;
}

describe('tokens of one kind:', () => {
  test.each<[TokenKind, string[]]>([
    [
      'string',
      [`''`, `'it''s'`, `'back\\'`, `e'it\\'s'`, `E'a''b'`, `U&'d\\0061'`, `n'a'`, `B'01'`, `x'1F'`],
    ],
    ['string', [`$$it's$$`, `$a$ $$ $b$ ; $aa$ $a$`, `$ü1$ü1$$ü1$`, `'a'\n 'b'\r'c'`, `E'a'\n\t'\\''`]],
    ['comment', [`-- 'one' /*`, `/* 'two' /* -- */ ; */`, '/**/', '/***/', '/*/ /**/ */', '--']],
    ['word', ['abc', 'SELECT', 'a$1', 'a$b$c', 'ünï', '_1', 'u', 'e', '😀']],
    ['quoted name', ['"a"', '"it""s"', '"--"', 'U&"d\\0061"', `"';"`]],
    ['number', ['1', '1.5', '.5', '1.', '1e5', '1.5E-10', '0x1F', '0XdeadBEEF', '0o17', '0b101']],
    ['number', ['1_000', '0x_1F', '1_0.5_0e1_0', '00', '9e0']],
    ['parameter', ['$1', '$23']],
    [
      'operator',
      ['+', '->', '->>', '@>', '?|', '?-', '@-', '<=', '<>', '!=', '=>', '::', ':=', '..', '!~~*'],
    ],
    ['sign', ['(', ')', '[', ']', ',', ';', '.', ':', '\\', '{', '$']],
    ['space', [' ', ' \t\n\r\f\v ']],
  ])('%s %j', (kind, texts) => {
    for (const text of texts) expect(scan(text)).toEqual([{ kind, text, isOpen: false }]);
  });
});

test.each([
  ['1..2', ['1', '..', '2']],
  ['1.5.5', ['1.5', '.5']],
  ['1a', ['1', 'a']],
  [`1e'a\\''`, ['1', `e'a\\''`]],
  ['0xg', ['0', 'xg']],
  ['1e+', ['1', 'e', '+']],
  ['1__0', ['1', '__0']],
  ['$1$a$b$a$', ['$1', '$a$b$a$']],
  ['a$a$b$a$', ['a$a$b$a$']],
  ['$ab', ['$', 'ab']],
  [`xe'a'`, ['xe', `'a'`]],
  [`B'0''1'`, [`B'0'`, `'1'`]],
  [`u&a`, ['u', '&', 'a']],
  [`''''`, [`''''`]],
  [`'a' 'b'`, [`'a'`, ' ', `'b'`]],
  ['a=-1', ['a', '=', '-', '1']],
  ['a@-1', ['a', '@-', '1']],
  ['+-+', ['+', '-', '+']],
  ['*-/*a*/', ['*', '-', '/*a*/']],
  ['@--a', ['@', '--a']],
  ['<>--\n=', ['<>', '--', '\n', '=']],
  [':::=', ['::', ':=']],
])('%j is several tokens', (text, tokens) => {
  expect(scan(text).map((token) => token.text)).toEqual(tokens);
});

test.each([
  [`select 'a`, `'a`],
  [`select 'a''`, `'a''`],
  [`select E'a\\`, `E'a\\`],
  [`select E'a\\'`, `E'a\\'`],
  [`select 'a'\n'b`, `'a'\n'b`],
  ['select "a', '"a'],
  ['select $a$ $b$', '$a$ $b$'],
  ['select /* /* */', '/* /* */'],
])('%j ends within a token', (text, last) => {
  expect(scan(text).at(-1)).toMatchObject({ text: last, isOpen: true });
});

test('a backslash in a plain string escapes according to the setting of the server', () => {
  const text = `'a\\'b' n'\\'' U&'\\'`;

  expect(scan(text, { standardStrings: false }).map((token) => token.text)).toEqual([
    `'a\\'b'`,
    ' ',
    `n'\\''`,
    ' ',
    `U&'\\'`,
  ]);
});

describe("agrees with PostgreSQL's scanner", () => {
  let postgres: (text: string) => Scanned;
  beforeAll(async () => void (postgres = await loadPostgresScanner()));

  test('on the SQL files of PostgreSQL', () => {
    const scanned = { statements: 0, tokens: 0, refused: 0 };
    for (const { file, sql: whole } of postgresFiles()) {
      for (const sql of statementTexts(whole)) {
        const [expected, found] = [postgres(sql), scannedAs(sql)];
        scanned.statements++;
        if (expected === 'refused') scanned.refused++;
        expect(expected === 'refused' ? expected : found, `${file}: ${sql}`).toEqual(expected);
        scanned.tokens += typeof expected === 'string' ? 0 : expected.length;
      }
    }

    console.log(scanned);
    expect(scanned.statements).toBeGreaterThan(4_000);
    expect(scanned.refused).toBeLessThan(scanned.statements / 1_000);
  });

  test('on generated texts', () => {
    let refused = 0;
    let runs = 0;
    fc.assert(
      fc.property(sqlText, (sql) => {
        // Unlike the server, the package ends a string at a comment before its continuation.
        fc.pre(!/'\s*--/.test(sql));
        const expected = postgres(sql);
        runs++;
        if (expected === 'refused') refused++;
        expect(expected === 'refused' ? expected : scannedAs(sql)).toEqual(expected);
      }),
      { numRuns: 20_000 },
    );

    expect(refused).toBeLessThan(runs / 3);
  });
});

describe.each([true, false])(
  'agrees with the server where standard_conforming_strings is %s',
  (standardStrings) => {
    let db: TestDatabase;
    let client: Client;
    beforeAll(async () => {
      db = await TestDatabase.create();
      client = new Client({
        connectionString: db.url,
        options: `-c standard_conforming_strings=${standardStrings ? 'on' : 'off'}`,
      });
      await client.connect();
    });
    afterAll(async () => {
      await client.end();
      await db.drop();
    });

    const accepts = (sql: string): Promise<boolean> =>
      client.query(sql).then(
        () => true,
        () => false,
      );

    test('on where a string ends, and whether it is continued', async () => {
      const parts = [`'`, `''`, '\\', '1', ' ', '\n', '\r', '--', '/*', '*/', `'\n'`, `' --\n'`];
      const content = fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map((all) => all.join(''));
      let accepted = 0;
      await fc.assert(
        fc.asyncProperty(fc.constantFrom('', 'E', 'n', 'U&'), content, async (prefix, inside) => {
          // Its escapes are read after the scan.
          fc.pre(prefix !== 'U&' || (standardStrings && !inside.includes('\\')));
          const sql = `${prefix}'${inside}'`;
          const tokens = scan(sql, { standardStrings });
          const kinds = tokens
            .map(({ kind }) => kind)
            .filter((kind) => kind !== 'space' && kind !== 'comment');
          const isString = kinds.length === 1 && !tokens.some(({ isOpen }) => isOpen);
          if (isString) accepted++;
          expect({ sql, isAccepted: await accepts(`select ${sql}`) }).toEqual({ sql, isAccepted: isString });
        }),
        { numRuns: 2_000 },
      );

      expect(accepted).toBeGreaterThan(400);
    });
  },
);

describe('takes linear time for', () => {
  const parts = [
    ...String.raw`' '' e' \ " $ $a $a$ $$ $a$b /* / */ -- - + @- *+ 1 1_ 1. 1e 0x a é ( : . u&`.split(' '),
    ' ',
    '\n',
    `'\n`,
    `'--\n`,
    `e' ' `,
    '(a ',
    `select 'a', b from c where d = 1.5 and e <= $1 -- f\n`,
  ];

  test.each(parts)('%j', (part) => {
    const text = (characters: number) => Buffer.from(part.repeat(characters / part.length)).toString();
    const [half, full] = [text(500_000), text(1_000_000)];
    // The machine may be busy.
    const isLinear = (): boolean => timeOf(full) <= Math.max(50, 3 * timeOf(half));

    expect([1, 2, 3, 4, 5].some(isLinear)).toBe(true);
  });
});

/** Returns the milliseconds that scanning a text takes. */
function timeOf(text: string): number {
  const scanner = new SqlScanner(text);
  const begun = performance.now();
  while (scanner.next());
  return performance.now() - begun;
}

/** Returns the tokens of our scanner in the form of `loadPostgresScanner`. */
function scannedAs(text: string): Scanned {
  const tokens = scan(text);
  if (tokens.at(-1)?.isOpen) return 'unterminated';
  return tokens
    .filter(({ kind }) => kind !== 'space')
    .map(({ kind, text: written }) => ({ kind, text: written }));
}

/** Returns the texts of the statements, approximately: a semicolon in parentheses ends one as well. */
function statementTexts(text: string): string[] {
  const scanner = new SqlScanner(text);
  const texts: string[] = [];
  let from = 0;
  while (scanner.next()) {
    if (scanner.kind !== 'sign' || text[scanner.start] !== ';') continue;
    texts.push(text.slice(from, scanner.end));
    from = scanner.end;
  }
  return [...texts, text.slice(from)];
}
