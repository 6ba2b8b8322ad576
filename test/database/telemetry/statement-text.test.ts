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
    ['select a from t where b in (1, 2, 3) and c = 4', 'select a from t where b in (?, …) and c = ?'],
    ['select "it\'s", "a""b1" from "T 1"', 'select "it\'s", "a""b1" from "T 1"'],
    [
      `select 1 -- for 'Ana'\n  from t /* and 'Eva' /* or */ 'Lea' */ where a = b`,
      'select ? from t where a = b',
    ],
    ['select\n\t a\n from   t', 'select a from t'],
    [`select 'never ended`, 'select ?'],
    ['select $$never ended', 'select ?'],
    ['select a /* never ended', 'select a'],
    [`select '😀', ünï1`, 'select ?, ünï1'],
    ['', ''],
  ])('%s', (sql, told) => {
    expect(statementText(sql)).toBe(told);
  });

  test('is cut where it is long, and holds no value even then', () => {
    const text = statementText(`insert into t values ${`(default, 'canary', a), `.repeat(2_000)}`);

    expect(text).toHaveLength(2_001);
    expect(text).not.toContain('canary');
    expect(statementText(`select '${'canary '.repeat(10_000)}'`)).toBe('select ?…');
  });

  test('is had in time, whatever the statement', () => {
    const begun = performance.now();
    for (const part of ['/*', `'`, '$a', '"', '1.', `e'\\`, '\\', '(', '- '])
      statementText(part.repeat(100_000));

    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

test.each([
  ['select 1', 'SELECT'],
  ['\n  Insert into t', 'INSERT'],
  ['/* by */ -- us\n update t', 'UPDATE'],
  ['with a as (select 1) select', 'WITH'],
  ['', 'QUERY'],
])('%j is named %s', (sql, name) => {
  expect(operationName(sql)).toBe(name);
});
