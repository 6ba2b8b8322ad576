import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operationName, statementText } from '../../../src/database/telemetry/statement-text.ts';

describe('the text of a statement', () => {
  test.each([
    [`select * from "synths" where "name" = 'Ana'`, 'select * from "synths" where "name" = ?'],
    [`select 'it''s', ''`, 'select ?, …'],
    [`select E'a\\'b', e'\\\\' || 'c'`, 'select ?, … || ?'],
    [`select 'back\\' from t`, 'select ? from t'],
    [`select U&'\\0061', b'101', X'1F', N'n'`, 'select ?, …'],
    ['select $$it is$$, $body$a $$ b$body$ from t', 'select ?, … from t'],
    ['select 1, 2.5, .5, 1e-9, 0xFF, 1_000', 'select ?, …'],
    ['select -1 + a2 from t1 limit 10', 'select -? + a2 from t1 limit ?'],
    ['select $1, $2::int from t', 'select $1, $2::int from t'],
    [
      'select a from t where b in ($1, $2::int4,$3::int4) and c in ($4, $5) and d = $6::int4',
      'select a from t where b in ($1, …) and c in ($4, $5) and d = $6::int4',
    ],
    ['select a from t where b in (1, 2, 3) and c = 4', 'select a from t where b in (?, …) and c = ?'],
    ['select "it\'s", "a""b1" from "T 1"', 'select "it\'s", "a""b1" from "T 1"'],
    [
      `select 1 -- for 'Ana'\n  from t /* and 'Eva' /* or */ 'Lea' */ where a = b`,
      'select ? from t where a = b',
    ],
    ['select\n\t a\n from   t', 'select a from t'],
    [`select 'never ended`, 'select ?…'],
    ['select $$never ended', 'select ?…'],
    ['select a /* never ended', 'select a ?…'],
    ['select a, "never ended', 'select a, ?…'],
    [`select "a" where name = 'O'Neill' and pin = '1234'`, 'select ?…'],
    [`insert into a values (E'it\\'s ''secret''', 1) -- 'secret'`, 'insert into a values (?, …)'],
    [`select 'a' -- 'b'\n 'c', 'd'\n'e'`, 'select ?, …'],
    ['select $ü1$ $$ $ü1$, 0o17, 0b1_0, 1.e5, 5abc, 0xfg from t', 'select ?, … from t'],
    ['select a1, a$b$c$b$, $1::text', 'select a1, a$b$c$b$, $1::text'],
    [`select '😀', ünï1`, 'select ?, ünï1'],
    ['', ''],
  ])('%s', (sql, told) => {
    expect(statementText(sql)).toBe(told);
  });

  test('is cut when it is long, and then has no value either', () => {
    const text = statementText(`insert into t values ${`(default, 'canary', a), `.repeat(2_000)}`);

    expect(text).toHaveLength(2_001);
    expect(text).not.toContain('canary');
    expect(statementText(`select '${'canary '.repeat(10_000)}'`)).toBe('select ?…');
  });

  test("has backslash escapes according to the server's setting", () => {
    const sql = String.raw`select 'a\', secret', b`;

    expect(statementText(sql, { standardStrings: false })).toBe('select ?, b');
    expect(statementText(sql)).toBe('select ?…');
  });

  test('has no part of a literal, in any form and place', () => {
    const secret = fc.stringMatching(/^[a-z]{8}$/).map((letters) => `zz${letters}zz`);
    fc.assert(
      fc.property(
        secret,
        fc.array(fc.tuple(fc.nat(forms.length - 1), fc.constantFrom(...around), fc.constantFrom(...between))),
        (word, literals) => {
          const sql = literals
            .map(([form, [before, after], gap]) => gap + (forms[form]?.(before + word + after) ?? ''))
            .join('');
          const text = statementText(`select ${sql} from "a" where b = $1`);

          expect(text).not.toContain(word);
          expect(text).toMatch(/ from "a" where b = \$1$/);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('has no part of a literal that is not closed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...beginnings),
        fc.array(fc.constantFrom(` zzsecretzz `, ' ', `''`, '""', '$$', '\n', '/*', '-- ')),
        (beginning, parts) => {
          const text = statementText(`select ${beginning}${parts.join('')}`);

          expect(text).not.toContain('secret');
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('is made in linear time for any statement', () => {
    const begun = performance.now();
    for (const part of ['/*', `'`, '$a', '"', '1.', `e'\\`, '\\', '(', '- '])
      statementText(part.repeat(100_000));

    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

// The forms of values in a text.
const forms: readonly ((content: string) => string)[] = [
  (content) => `'${content.replaceAll("'", "''")}'`,
  (content) => `E'${content.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
  (content) => `e'${content.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
  (content) => `N'${content.replaceAll("'", "''")}'`,
  (content) => `U&'${content.replaceAll("'", "''")}'`,
  (content) => `x'${content.replaceAll("'", '')}'`,
  (content) => `$q$${content}$q$`,
  (content) => `$ü_1$${content}$ü_1$`,
  (content) => `'a'\n  '${content.replaceAll("'", "''")}'`,
  (content) => `'a' -- b'\r'${content.replaceAll("'", "''")}'`,
  (content) => `/* ${content.replaceAll(/[*/]/g, '')} /* ' */ */ 1`,
  (content) => `-- ${content.replaceAll(/[\n\r]/g, '')}\n`,
];
const around = [
  ['', ''],
  [`it's `, ` isn't`],
  ['\\', ''],
  ['"', '"'],
  ['$$ ', ' $$'],
  ['/* ', ''],
  ['-- ', '\n'],
  [`';`, `;'`],
] as const;
const between = [', ', ' || ', ',\n', ' = /* */ ', ' -- \n, ', '(', '::text, '];
// The text after it in the test does not close it.
const beginnings = [`E'\\'`, '$a$', '/* /*', `'''`, `"a`];

test.each([
  ['select 1', 'SELECT'],
  ['(select 1) union (select 2)', 'SELECT'],
  ['/* a /* nested */ comment */ select 1', 'SELECT'],
  [`'a' "b" -- c`, 'QUERY'],
  ['\n  Insert into t', 'INSERT'],
  ['/* by */ -- us\n update t', 'UPDATE'],
  ['with a as (select 1) select', 'WITH'],
  ['', 'QUERY'],
])('%j has the operation name %s', (sql, name) => {
  expect(operationName(sql)).toBe(name);
});
