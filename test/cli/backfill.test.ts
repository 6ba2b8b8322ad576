import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { synthdb, type Run } from './run.ts';

const groups = {
  name: 'groups',
  source: 'group',
  entity: 'SynthGroup',
  key: 'id',
  skipBlankValues: true,
  columns: [{ target: 'name', source: 'group_name' }],
};
const synths = {
  name: 'synths',
  source: 'synth',
  entity: 'Synth',
  key: 'id',
  dependsOn: ['groups'],
  columns: [
    { target: 'synthGroup', source: 'group' },
    { target: 'name', aggregation: 'template', template: 'Synth {synth}' },
  ],
};
const csv = 'synth,group,group_name\nsyn_1,g1,"One, first"\nsyn_2,g1,\nsyn_3, g2 ,Two\n,(空白),None\n';

describe('synthdb backfill', () => {
  let db: TestDatabase;
  let directory: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
    directory = await mkdtemp(join(tmpdir(), 'synthdb-'));
    await writeFile(join(directory, 'facts.csv'), csv);
  });
  beforeEach(async () => {
    await db.orm.em.fork().execute('truncate synth_groups, synths');
    await writeFile(join(directory, 'config.json'), JSON.stringify({ targets: [groups, synths] }));
  });
  afterAll(async () => {
    await db.drop();
    await rm(directory, { recursive: true });
  });

  const run = (args: string[], input?: string, url = db.url): Promise<Run> =>
    synthdb(['backfill', '--config', 'config.json', ...args], directory, { DATABASE_URL: url }, input);
  const stored = (): Promise<object[]> =>
    db.orm.em.fork().execute('select id, nome, synth_group_id from synths order by id');

  test('keeps all digits of documents, and notices a member that one has twice', async () => {
    const runs = {
      name: 'experiments',
      source: 'experiment',
      entity: 'Experiment',
      key: 'id',
      skipBlankValues: true,
      columns: [
        { target: 'name', source: 'experiment' },
        { target: 'hypothesis', source: 'experiment' },
        { target: 'scorecardData', source: 'scorecard' },
      ],
    };
    await writeFile(join(directory, 'config.json'), JSON.stringify({ targets: [runs] }));
    const dimension = '{"score":0.5}';
    const document = `{"feature_name":"f","description_text":"a","description_text":"b","complexity":${dimension},"initial_effort":${dimension},"perceived_risk":${dimension},"time_to_value":${dimension},"big":12345678901234567890.10}`;
    const facts = `experiment,scorecard\ne1,"${document.replaceAll('"', '""')}"\ne2,(blank)\n`;

    const strict = await run(['-', '--format', 'csv', '--strict', '--dry-run'], facts);
    expect(strict).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('row 1, scorecard: has $.description_text more than once'),
    });
    const { code, stdout } = await run(['-', '--format', 'csv'], facts);

    expect(stdout).toContain(
      '1 JSON texts have a member twice, the first in row 1, scorecard, $.description_text',
    );
    expect(code).toBe(0);
    expect(
      await db.orm.em
        .fork()
        .execute(
          `select id, scorecard_data ->> 'big' as big, scorecard_data ->> 'description_text' as text from experiments order by id`,
        ),
    ).toEqual([
      { id: 'e1', big: '12345678901234567890.10', text: 'b' },
      { id: 'e2', big: null, text: null },
    ]);
    await db.orm.em.fork().execute('delete from experiments');
  });

  describe('of a spreadsheet', () => {
    const latest = {
      ...groups,
      columns: [
        { target: 'name', aggregation: 'max_by', source: 'nome', order: 'ordem' },
        { target: 'createdAt', source: 'criado' },
      ],
    };
    beforeEach(() => writeFile(join(directory, 'config.json'), JSON.stringify({ targets: [latest] })));

    test.each([
      ['dates', '31/12/2023', '01/06/2024'],
      ['numbers', '999,9', '1.000,5'],
    ])('orders facts by %s as they are written', async (_, before, after) => {
      const rows = [`g1;Old;${before};02/01/2024`, `g1;New;${after};02/01/2024`];
      const sheet = ['Grupo;nome;ordem;criado', ...rows, ';;;', ''].join('\r\n');
      await writeFile(join(directory, 'sheet.csv'), Buffer.from(sheet, 'latin1'));

      const refused = await run(['sheet.csv', '--columns', 'Grupo=group']);
      const options = ['--decimal-comma', '--date-format', 'DD/MM/YYYY', '--time-zone', 'America/Sao_Paulo'];
      const read = await run(['sheet.csv', '--columns', 'Grupo=group', ...options]);

      expect(refused.stderr).toMatch(/^synthdb: row 1, (?:ordem|criado): looks like a .*: give --d/);
      expect(read).toMatchObject({ code: 0, stderr: '' });
      expect(
        await db.orm.em.fork().execute('select id, name, created_at::text as at from synth_groups'),
      ).toEqual([{ id: 'g1', name: 'New', at: '2024-01-02 03:00:00+00' }]);
    });

    test('shows the first facts as they were understood', async () => {
      await writeFile(join(directory, 'sheet.csv'), 'group;nome;ordem;criado\ng1;A;1,5;2024-01-02\n');

      const shown = await run(['sheet.csv', '--dry-run', '--decimal-comma', '--time-zone', 'UTC', '--json']);

      expect(JSON.parse(shown.stdout)).toMatchObject({
        first: [{ group: 'g1', nome: 'A', ordem: '1.5', criado: '2024-01-02 00:00:00.000000+00' }],
      });
    });
  });

  test('inserts the parents that a CSV references, once', async () => {
    const first = await run(['facts.csv', '--json']);
    const again = await run(['facts.csv']);

    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(first.stdout)).toEqual({
      database: expect.stringMatching(/@.+\//),
      facts: 4,
      targets: [
        { ...done, name: 'groups', entity: 'SynthGroup', candidates: 2, inserted: 2 },
        { ...done, name: 'synths', entity: 'Synth', candidates: 3, inserted: 3 },
      ],
    });
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^4 facts were read\.$/m);
    expect(again.stdout).toMatch(/^groups +SynthGroup +2 +0 +0 +2$/m);
    expect(await stored()).toEqual([
      { id: 'syn_1', nome: 'Synth syn_1', synth_group_id: 'g1' },
      { id: 'syn_2', nome: 'Synth syn_2', synth_group_id: 'g1' },
      { id: 'syn_3', nome: 'Synth syn_3', synth_group_id: 'g2' },
    ]);
  });

  test('reads JSON lines from standard input, with all the digits of their numbers', async () => {
    const facts = '{"synth": 12345678901234567890, "group": "g1", "group_name": 1.50}\n';

    const { code, stderr } = await run(['--format', 'jsonl'], facts);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await stored()).toEqual([
      { id: '12345678901234567890', nome: 'Synth 12345678901234567890', synth_group_id: 'g1' },
    ]);
  });

  test('--dry-run needs no database', async () => {
    const { code, stdout } = await run(
      ['facts.csv', '--dry-run', '--json'],
      '',
      'postgresql://a@127.0.0.1:1/none',
    );
    const shown = await run(['facts.csv', '--dry-run'], '', 'postgresql://a@127.0.0.1:1/none');

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      facts: 4,
      targets: [
        { name: 'groups', candidates: 2 },
        { name: 'synths', candidates: 3 },
      ],
      statements: [
        { sql: expect.stringMatching(/^create temporary/) },
        { sql: expect.stringMatching(/^copy/), rows: 4 },
        ...Array<unknown>(8).fill(expect.anything()),
      ],
    });
    expect(shown.stdout).toMatch(/^synths +Synth +3$/m);
    expect(await stored()).toEqual([]);
  });

  test('exits with 1 and keeps the other targets when one fails behind its savepoint', async () => {
    const broken = {
      ...synths,
      name: 'broken',
      source: 'group',
      columns: [synths.columns[1], { target: 'synthGroup', source: 'synth' }],
    };
    const config = { savepoints: true, targets: [groups, broken, { ...synths, dependsOn: ['broken'] }] };
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));

    const { code, stdout } = await run(['facts.csv', '--json']);
    const shown = await run(['facts.csv']);

    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      targets: [
        { name: 'groups', outcome: 'done', inserted: 2 },
        { name: 'broken', outcome: 'failed', error: expect.stringContaining('on table "synths"') },
        { name: 'synths', outcome: 'skipped', error: null },
      ],
    });
    expect(shown.stdout).toMatch(
      /^broken .*failed: a parent references a missing row .*on table "synths" in row 1$/m,
    );
    expect(shown.stdout).toMatch(/^synths .*skipped: a dependency failed$/m);
  });

  test.each([
    ['no configuration', [], 'nowhere.json', null, 2, "nowhere.json can't be read"],
    [
      'a configuration that is not JSON',
      ['facts.csv'],
      'config.json',
      '{',
      2,
      "config.json can't be read: it is not valid JSON",
    ],
    [
      'a configuration with faults',
      ['facts.csv'],
      'config.json',
      '{"targets": [{"name": "a"}, 5]}',
      2,
      /config\.json is invalid: targets\.0\.source: .*; targets\.0\.entity: .*; targets\.1: /,
    ],
    [
      'a property that no fact has',
      ['-', '--format', 'csv'],
      'config.json',
      null,
      2,
      'no fact has the property "group_name"',
    ],
  ])('reports %s in one line, and stores nothing', async (_, args, file, text, code, says) => {
    if (text !== null) await writeFile(join(directory, file), text);

    const ended = await run(['--config', file, ...args], 'synth,group\ns,g\n');

    expect(ended).toMatchObject({ code, stdout: expect.not.stringContaining('read.') });
    expect(ended.stderr).toMatch(says);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
    expect(await stored()).toEqual([]);
  });

  test.each([
    ['config.json', ['missing.csv'], /missing\.csv can't be read/],
    ['nowhere.json', ['facts.csv'], /nowhere\.json can't be read/],
  ])('looks for files before it looks for a database: %s, %j', async (config, args, says) => {
    const ended = await run(['--config', config, ...args], '', 'postgresql://a@127.0.0.1:1/none');

    expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(says) });
  });

  test.each([
    ['csv', 'synth,group,group_name\ns,g,x\ncanary,y\n', 'row 2: has another number of cells'],
    [
      'jsonl',
      '{"synth": "s", "group": "g", "group_name": "canary\\u0000"}\n',
      'row 1, group_name: holds U+0000',
    ],
  ])('names the fact of a broken %s', async (format, input, says) => {
    const { code, stderr } = await run(['--format', format], input);

    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(says);
    expect(stderr).not.toContain('canary');
    expect(await stored()).toEqual([]);
  });
});

const done = { outcome: 'done', error: null, updated: 0, skipped: 0 };
