import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestDatabase, anAnalysisRun } from '../../../src/testing/index.ts';
import { startSynthdb, synthdb, type Run } from '../run.ts';

describe('synthdb load', () => {
  let db: TestDatabase;
  let directory: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
    directory = await mkdtemp(join(tmpdir(), 'synthdb-load-'));
    await writeFile(join(directory, 'package.json'), '{}');
  });
  afterAll(async () => {
    await db.drop();
    await rm(directory, { recursive: true, force: true });
  });
  beforeEach(() => db.orm.em.fork().execute('delete from experiments; delete from synth_groups'));

  const ask = (sql: string): Promise<object[]> => db.orm.em.fork().execute(sql);
  const load = async (name: string, content: string | Buffer, ...options: string[]): Promise<Run> => {
    if (name !== '-') await writeFile(join(directory, name), content);
    return synthdb(
      ['load', name, ...options],
      directory,
      { DATABASE_URL: db.url },
      name === '-' ? content : '',
    );
  };
  const appending = ['--entity', 'Experiment', '--mode', 'append'];

  test('reads CSV: an empty cell is NULL, "" an empty text', async () => {
    const csv = [
      '\uFEFFid,name,hypothesis,description,rowVersion,createdAt,scorecardData',
      String.raw`a,"One, ""two""",h,,3,2026-01-01T00:00:00.123456+02:00,`,
      `b,"line\nbreak",h,"",4,2026-01-01 00:00:00.123456+00,"{""feature_name"":""f"",""description_text"":""d"",""complexity"":{""score"":0.5},""initial_effort"":{""score"":0.5},""perceived_risk"":{""score"":0.5},""time_to_value"":{""score"":0.5},""big"":9007199254740993}"`,
    ];

    expect(await load('rows.csv', csv.join('\r\n'), ...appending, '--json')).toMatchObject({
      code: 0,
      stderr: '',
    });

    expect(
      await ask(
        `select name, description, row_version, created_at at time zone 'UTC' as time, scorecard_data ->> 'big' as big from experiments order by id`,
      ),
    ).toEqual([
      {
        name: 'One, "two"',
        description: null,
        row_version: 3,
        time: '2025-12-31 22:00:00.123456',
        big: null,
      },
      {
        name: 'line\nbreak',
        description: '',
        row_version: 4,
        time: '2026-01-01 00:00:00.123456',
        big: '9007199254740993',
      },
    ]);
  });

  test('reads JSON lines from standard input, and prints the counts', async () => {
    await db.transact(async ({ em }) => void anAnalysisRun(em, { id: 'ana' }));
    const upsert = ['--entity', 'AnalysisCache', '--mode', 'upsert', '--format', 'jsonl', '--json'];

    const first = await load('-', line('{"a":1}'), ...upsert);
    const second = await load('-', line('{"a":9007199254740993,"b":"\u2028"}').trimEnd(), ...upsert);

    expect(JSON.parse(first.stdout)).toEqual({
      database: expect.stringContaining('@'),
      rows: 1,
      inserted: 1,
      updated: 0,
      deleted: 0,
      skipped: 0,
    });
    expect(JSON.parse(second.stdout)).toMatchObject({ inserted: 0, updated: 1 });
    expect(await ask('select data::text as data from analysis_cache')).toEqual([
      { data: '{"a": 9007199254740993, "b": "\u2028"}' },
    ]);
  });

  test('accepts --key and --on-duplicate', async () => {
    await db.transact(async ({ em }) => void anAnalysisRun(em, { id: 'ana' }));
    const csv = 'analysis,synthId,didNotTryRate,failedRate,successRate\nana,s,0,0.5,0.5\nana,s,0,0,1\n';
    const told = ['--entity', 'SynthOutcome', '--mode', 'upsert', '--key', 'analysis,synthId'];

    expect(await load('rows.csv', csv, ...told)).toMatchObject({
      code: 1,
      stderr: 'synthdb: row 2, analysis, synthId: row 1 has the same key\n',
    });
    expect(await load('rows.csv', csv, ...told, '--on-duplicate', 'last')).toMatchObject({ code: 0 });
    expect(await ask('select success_rate from synth_outcomes')).toEqual([{ success_rate: 1 }]);
  });

  test('--dry-run needs no database', async () => {
    await writeFile(join(directory, 'rows.csv'), 'id,name\ng,n\n');
    const told = ['load', 'rows.csv', '--entity', 'SynthGroup', '--mode', 'insert_missing', '--dry-run'];
    const nowhere = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' };

    const plan = await synthdb([...told, '--json'], directory, nowhere);

    expect(plan).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(plan.stdout)).toEqual({
      rows: 1,
      first: [{ id: 'g', name: 'n' }],
      statements: expect.arrayContaining([{ sql: expect.stringMatching(/^copy /), rows: 1 }]),
    });
    expect((await synthdb(told, directory, nowhere)).stdout).toMatch(/^1 rows are valid\./);
  });

  const documents = {
    'twice.jsonl': '{"id":"a","name":"n","hypothesis":"h","name":"last"}\n',
    'document.csv': `id,name,hypothesis,scorecardData\na,last,h,"{""feature_name"":""f"",""description_text"":""d"",""complexity"":{""score"":0.5},""initial_effort"":{""score"":0.5},""perceived_risk"":{""score"":0.5},""time_to_value"":{""score"":0.5},""big"":{""a"":1,""a"":2}}"\n`,
  };
  test.each(Object.entries(documents))(
    'says that a member of JSON is there twice: %s',
    async (name, content) => {
      const strict = await load(name, content, ...appending, '--strict', '--dry-run');
      const loose = await load(name, content, ...appending, '--dry-run');

      expect(strict).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/row 1.*: has \$\.(name|big\.a) more than once/),
      });
      expect(loose.stdout + loose.stderr).toContain('1 JSON texts have a member twice, the first in row 1');
    },
  );

  test.each([
    ['short.csv', 'id,name\na\n', 1, /row 1: has another number of cells/],
    ['quote.csv', 'id,name,hypothesis\na,n,h\nb,"n\n', 1, /row 2: is malformed/],
    ['number.csv', 'id,name,hypothesis,rowVersion\na,n,h,one\n', 1, /row 1, rowVersion: is not an integer/],
    [
      'document.csv',
      'id,name,hypothesis,scorecardData\na,n,h,{\n',
      1,
      /row 1, scorecardData: is not valid JSON/,
    ],
    ['twice.csv', 'id,id\na,b\n', 2, /"id" twice/],
    ['column.csv', 'created_at\n2026\n', 2, /did you mean "createdAt"\?/],
    ['unknown.csv', 'nome\nx\n', 2, /expected: id, name/],
    ['blank.jsonl', '{"id":"a","name":"n","hypothesis":"h"}\n\n', 1, /row 2: is not valid JSON/],
    ['array.jsonl', '[1]\n', 1, /row 1: is not a JSON object/],
    ['bytes.jsonl', Buffer.from([0x7b, 0xff]), 2, /not valid UTF-8/],
    ['empty.csv', '', 2, /the CSV is empty; it must begin with a header of property names/],
    ['rows.txt', '', 2, /--format csv/],
  ])('reports the problem of %s in one line', async (name, content, code, says) => {
    const run = await load(name, content, ...appending);

    expect(run).toMatchObject({ code, stderr: expect.stringMatching(says) });
    expect(run.stderr.trimEnd()).not.toContain('\n');
    expect(await ask('select 1 from experiments')).toEqual([]);
  });

  test.each([
    [['missing.csv', '--entity', 'Experiment', '--mode', 'append'], /missing\.csv can't be read/],
    [['.', '--entity', 'Experiment', '--mode', 'append', '--format', 'csv'], /is a directory/],
    [['rows.csv', '--entity', 'Nothing', '--mode', 'append'], /"Nothing"; expected one of: AnalysisCache/],
    [
      ['rows.csv', '--entity', 'Experiment', '--mode', 'upsert', '--key', 'nome'],
      /unknown property "nome" in key/,
    ],
    [['rows.csv', '--entity', 'Experiment', '--mode', 'upsert', '--key', 'name'], /not unique/],
    [['rows.csv', '--entity', 'Experiment', '--mode', 'replace'], /Allowed choices are append/],
    [['rows.csv', '--entity', 'Experiment'], /--mode/],
    [['rows.csv', '--mode', 'append'], /--entity/],
  ])('exits with 2 for %j', async (told, says) => {
    await writeFile(join(directory, 'rows.csv'), 'id,name,hypothesis\na,n,h\n');

    const run = await synthdb(['load', ...told], directory, { DATABASE_URL: db.url });

    expect(run).toMatchObject({ code: 2, stderr: expect.stringMatching(says) });
  });

  test.each([
    ['\n', '\r\n'],
    ['\r\n', '\n'],
    ['\n', '\r'],
  ])('accepts mixed line endings in a CSV: %j, then %j', async (first, next) => {
    const group = ['--entity', 'SynthGroup', '--mode', 'append'];

    const run = await load('mixed.csv', `id,name${first}a,one${next}b,"two\r\nlines"${next}`, ...group);

    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(await ask('select id, name from synth_groups order by id')).toEqual([
      { id: 'a', name: 'one' },
      { id: 'b', name: 'two\r\nlines' },
    ]);
  });

  test.each([
    ['csv', 'id,name\na,n\nb,n,more\nc,n\n', /row 2: has another number of cells/],
    ['jsonl', '{"id":"a","name":"n"}\n[]\n', /row 2: is not a JSON object/],
  ])(
    'exits at an invalid row of %s, also when the writer keeps the pipe open',
    async (format, unfinished, says) => {
      const told = ['load', '-', '--format', format, '--entity', 'SynthGroup', '--mode', 'append'];

      const run = await startSynthdb(told, directory, { DATABASE_URL: db.url }, { unfinished });

      expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(says) });
    },
  );

  test('opens the file before the database', async () => {
    const told = ['--entity', 'SynthGroup', '--mode', 'append'];
    const nowhere = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' };

    expect(await synthdb(['load', 'missing.csv', ...told], directory, nowhere)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/missing\.csv can't be read/),
    });
  });

  test('reads lines and cells across chunk boundaries', async () => {
    const wide = 'é€😀'.repeat(5_000);
    const rows = Array.from({ length: 20 }, (_, n) => ({ id: `g${n}`, name: `${n} ${wide}` }));
    const group = ['--entity', 'SynthGroup', '--mode', 'upsert'];

    const jsonl = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    await load('wide.jsonl', jsonl, ...group);
    const csv = rows.map(({ id, name }) => `${id},"${name}"\n`).join('');
    const again = await load('wide.csv', `id,name\n${csv}`, ...group, '--json');

    expect(JSON.parse(again.stdout)).toMatchObject({ rows: 20, skipped: 20 });
  });
});

function line(data: string): string {
  return `{"analysis":"ana","cacheKey":"k","data":${data},"computedAt":"2026-01-01T00:00:00Z"}\n`;
}
