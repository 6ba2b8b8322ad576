import { loadModule, parseSync } from 'libpg-query';
import { expect, test } from 'vitest';
import { statementsOf } from '../../../src/postgres/sql/statements.ts';
import { postgresFiles } from './postgres-files.ts';

const texts = (sql: string) => statementsOf(sql).map((tokens) => tokens.map(({ text }) => text).join(' '));

test.each([
  ['select 1; select 2', ['select 1', 'select 2']],
  ['; ;; select 1;', ['select 1']],
  ['', []],
  ['-- nothing\n/* but comments */', []],
  [`select E'\\''; commit; select ''`, [`select E'\\''`, 'commit', `select ''`]],
  [`select E'it\\'s; commit now'`, [`select E'it\\'s; commit now'`]],
  [`select $a$;$a$, ";", /* ; */ 'a' -- ;\n'b'`, [`select $a$;$a$ , ; , 'a' -- ;\n'b'`]],
  [
    'create rule r as on insert to t do also (delete from u; delete from v); end',
    ['create rule r as on insert to t do also ( delete from u ; delete from v )', 'end'],
  ],
  [
    'create function f() returns int language sql begin atomic select 1; select case a when 1 then 2 end; end; end',
    [
      'create function f ( ) returns int language sql begin atomic select 1 ; select case a when 1 then 2 end ; end',
      'end',
    ],
  ],
  [
    'create or replace procedure p() begin atomic select 1 as end; select a.case; end; select 1',
    ['create or replace procedure p ( ) begin atomic select 1 as end ; select a . case ; end', 'select 1'],
  ],
  ['begin; select case when a then 1 end; end', ['begin', 'select case when a then 1 end', 'end']],
  ['select 1; select "never closed; commit', ['select 1', 'select never closed; commit']],
])('%j is split into statements', (sql, statements) => {
  expect(texts(sql)).toEqual(statements);
});

test('words are in lower case, and names without their quotes', () => {
  expect(statementsOf(`SELECT "It""s", U&"d", É FROM "`)).toEqual([
    [
      { kind: 'word', text: 'select' },
      { kind: 'quoted name', text: 'It"s' },
      { kind: 'sign', text: ',' },
      { kind: 'quoted name', text: 'd' },
      { kind: 'sign', text: ',' },
      { kind: 'word', text: 'é' },
      { kind: 'word', text: 'from' },
      { kind: 'quoted name', text: '' },
    ],
  ]);
});

test("statements end as in PostgreSQL's grammar, in the SQL files of PostgreSQL", async () => {
  await loadModule();
  let files = 0;
  for (const { file, sql } of postgresFiles()) {
    const statements = parsed(sql);
    if (statements === null) continue;
    files++;
    expect({ file, statements: statementsOf(sql).length }).toEqual({ file, statements });
  }

  console.log({ files });
  expect(files).toBeGreaterThan(100);
});

/** Returns the number of statements in a text; null when PostgreSQL's grammar refuses it. */
function parsed(sql: string): number | null {
  try {
    return parseSync(sql).stmts?.length ?? 0;
  } catch {
    return null;
  }
}
