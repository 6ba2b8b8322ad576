import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestDatabase } from '../../../src/testing/index.ts';
import { synthdb, type Run } from '../run.ts';

/** A file as a spreadsheet program writes it, and what it takes to load it. */
interface Spreadsheet {
  readonly content: string | Buffer;
  /** What the first try says, which has none of the options; null when it loads at once. */
  readonly says: string | null;
  readonly options?: readonly string[];
  /** The rows: name, created_at in UTC, row_version. */
  readonly rows: readonly (readonly [name: string, time: string, version: number])[];
}

const utf16 = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le');
const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
const noon = '2024-12-31 12:00:00';
const midnight = '2024-12-31 00:00:00';
const utc = ['--time-zone', 'UTC'];

const spreadsheets: Readonly<Record<string, Spreadsheet>> = {
  'with a byte order mark and CRLF': {
    content: '\uFEFFname,hypothesis,createdAt,rowVersion\r\nAção,h,2024-12-31T12:00:00Z,2\r\n',
    says: null,
    rows: [['Ação', noon, 2]],
  },
  'with semicolons': {
    content: 'name;hypothesis;createdAt;rowVersion\n"a;b";"h, too";2024-12-31T12:00:00Z;2\n',
    says: null,
    rows: [['a;b', noon, 2]],
  },
  'with sep= in its first line': {
    content: 'sep=;\r\nname;hypothesis;createdAt;rowVersion\r\na;h;2024-12-31T12:00:00Z;2\r\n',
    says: null,
    rows: [['a', noon, 2]],
  },
  'with tabs': {
    content:
      'name\thypothesis\tcreatedAt\trowVersion\na\th, with commas, and more\t2024-12-31T12:00:00Z\t2\n',
    says: null,
    rows: [['a', noon, 2]],
  },
  'with a decimal comma': {
    content: 'name;hypothesis;createdAt;rowVersion\na;h;2024-12-31T12:00:00Z;"1.002,0"\n',
    says: 'row 1, rowVersion: looks like a number with a decimal comma: give --decimal-comma',
    options: ['--decimal-comma'],
    rows: [['a', noon, 1002]],
  },
  'with dates of the day first': {
    content: 'name,hypothesis,createdAt,rowVersion\na,h,31/12/2024,2\n',
    says: "row 1, createdAt: looks like a date: give --date-format 'DD/MM/YYYY'",
    options: ['--date-format', 'DD/MM/YYYY', ...utc],
    rows: [['a', midnight, 2]],
  },
  'with dates of the month first, and AM and PM': {
    content: 'name,hypothesis,createdAt,rowVersion\na,h,12/31/2024 12:00 PM,2\nb,h,1/2/2024 12:30 AM,3\n',
    says: "row 1, createdAt: looks like a date: give --date-format 'MM/DD/YYYY hh:mm A'",
    options: ['--date-format', 'MM/DD/YYYY hh:mm A', ...utc],
    rows: [
      ['a', noon, 2],
      ['b', '2024-01-02 00:30:00', 3],
    ],
  },
  'with dates with points, of a zone': {
    content: 'name;hypothesis;createdAt;rowVersion\na;h;31.12.2024 09:00;2\n',
    says: "give --date-format 'DD.MM.YYYY HH:mm'",
    options: ['--date-format', 'DD.MM.YYYY HH:mm', '--time-zone', 'America/Sao_Paulo'],
    rows: [['a', noon, 2]],
  },
  'with named months': {
    content: 'name,hypothesis,createdAt,rowVersion\na,h,31-Dec-2024,2\n',
    says: "give --date-format 'DD-MMM-YYYY'",
    options: ['--date-format', 'DD-MMM-YYYY', ...utc],
    rows: [['a', midnight, 2]],
  },
  'with ISO times without a zone': {
    content: 'name,hypothesis,createdAt,rowVersion\na,h,2024-12-31 12:00:00,2\n',
    says: 'row 1, createdAt: has no time zone: give --time-zone, such as America/Sao_Paulo or UTC',
    options: utc,
    rows: [['a', noon, 2]],
  },
  'in Windows-1252': {
    content: latin(
      'name,hypothesis,createdAt,rowVersion\na,h,2024-12-31T12:00:00Z,2\nA\xE7\xE3o,h,2024-12-31T12:00:00Z,3\n',
    ),
    says: 'the file is not valid UTF-8: byte 66, in line 3; it looks like windows-1252: give --encoding windows-1252',
    options: ['--encoding', 'windows-1252'],
    rows: [
      ['Ação', noon, 3],
      ['a', noon, 2],
    ],
  },
  'in UTF-16 with a byte order mark': {
    content: utf16('name\thypothesis\tcreatedAt\trowVersion\r\nAção\th\t2024-12-31T12:00:00Z\t2\r\n'),
    says: null,
    rows: [['Ação', noon, 2]],
  },
  'with a title above the header': {
    content:
      'Experiments of 2024;;;\n;;;\nname;hypothesis;createdAt;rowVersion\na;h;2024-12-31T12:00:00Z;2\n',
    says: 'unknown property "Experiments of 2024" in the header; expected: id, name',
    options: ['--header-line', '3'],
    rows: [['a', noon, 2]],
  },
  'with blank lines at the end, and unnamed columns': {
    content: 'name,hypothesis,createdAt,rowVersion,,\na,h,2024-12-31T12:00:00Z,2,,\n,,,,,\n\n\n',
    says: null,
    rows: [['a', noon, 2]],
  },
  'with #N/A': {
    content: 'name,hypothesis,createdAt,rowVersion,updatedAt\na,h,2024-12-31T12:00:00Z,2,#N/A\n',
    says: `row 1, updatedAt: is "#N/A": give --null '#N/A' if that means no value`,
    options: ['--null', '#N/A'],
    rows: [['a', noon, 2]],
  },
  'with names of its own': {
    content: 'Nome,"Hipótese, curta",Criado,Versão,Notas\na,h,2024-12-31T12:00:00Z,2,x\n',
    says: `unknown property "Nome" in the header; expected: id, name`,
    options: [
      '--columns',
      'Nome=name,Hipótese, curta=hypothesis,Criado=createdAt',
      '--columns',
      'Versão=rowVersion,Notas=',
    ],
    rows: [['a', noon, 2]],
  },
};

describe('a spreadsheet', () => {
  let db: TestDatabase;
  let directory: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
    directory = await mkdtemp(join(tmpdir(), 'synthdb-spreadsheet-'));
    await writeFile(join(directory, 'package.json'), '{}');
  });
  afterAll(async () => {
    await db.drop();
    await rm(directory, { recursive: true, force: true });
  });
  beforeEach(() => db.orm.em.fork().execute('delete from experiments'));

  const load = async (content: string | Buffer, ...options: readonly string[]): Promise<Run> => {
    await writeFile(join(directory, 'sheet.csv'), content);
    const args = ['load', 'sheet.csv', '--entity', 'Experiment', '--mode', 'append', ...options];
    return synthdb(args, directory, { DATABASE_URL: db.url });
  };
  const loaded = async (): Promise<unknown[]> => {
    const rows: object[] = await db.orm.em
      .fork()
      .execute(
        `select name, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as time, row_version from experiments order by name collate "C"`,
      );
    return rows.map((row) => Object.values(row));
  };

  test.each(Object.entries(spreadsheets))('%s is loaded in two tries at most', async (_, sheet) => {
    const first = await load(sheet.content);
    const afterFirst = await loaded();
    const last = sheet.says === null ? first : await load(sheet.content, ...(sheet.options ?? []));

    expect(first.stderr).toContain(sheet.says ?? '');
    expect(afterFirst).toEqual(sheet.says === null ? sheet.rows : []);
    expect(last).toMatchObject({ code: 0, stderr: '' });
    expect(await loaded()).toEqual(sheet.rows);
  });

  test.each([
    ['name,hypothesis\na,h\n\nb,h\n', [], 'row 2: is blank; remove it'],
    ['name;hypothesis\na;h\n', ['--delimiter', ','], String.raw`looks separated by ;: give --delimiter ';'`],
    [
      'name\thypothesis\na\th\n',
      ['--delimiter', ','],
      String.raw`looks separated by \t: give --delimiter '\t'`,
    ],
    ['name,,hypothesis\na,,h\n', [], 'column 2 has no name in the header; if titles stand above it'],
    [
      'name,hypothesis,\na,h,x\n',
      [],
      'row 1: has a value in column 3, which has no name in the header, line 2',
    ],
    ['name,hypothesis\na,h,x\n', [], 'row 1: has another number of cells than the header: 3, not 2, line 2'],
    [
      'name,hypothesis\na,h\n',
      ['--columns', 'Nome=name'],
      '--columns names Nome, which the header lacks; it has: name, hypothesis',
    ],
    ['name,hypothesis,createdAt\na,h,01/02/2024\n', [], "give --date-format 'DD/MM/YYYY, or MM/DD/YYYY'"],
    [
      'name,hypothesis,createdAt\na,h,30/02/2024\n',
      ['--date-format', 'DD/MM/YYYY'],
      'row 1, createdAt: is a time that does not exist, in the form DD/MM/YYYY',
    ],
    [
      'name,hypothesis,createdAt\na,h,30/03/2025 02:30\n',
      ['--date-format', 'DD/MM/YYYY HH:mm', '--time-zone', 'Europe/Berlin'],
      'row 1, createdAt: does not exist in Europe/Berlin: a clock change skipped it',
    ],
    [
      'name,hypothesis\na,h\n',
      ['--date-format', 'MM/YYYY'],
      '--date-format "MM/YYYY" must have year, month and day',
    ],
    ['name,hypothesis\na,h\n', ['--time-zone', 'Brasilia'], 'unknown time zone "Brasilia"'],
    ['name,hypothesis\na,h\n', ['--encoding', 'ebcdic'], 'unknown encoding "ebcdic"'],
  ])('%j with %j is refused in one line', async (content, options, says) => {
    const run = await load(content, ...options);

    expect(run.code).toBeGreaterThan(0);
    expect(run.stderr).toContain(says);
    expect(run.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(await loaded()).toEqual([]);
  });

  test('that is a workbook is refused', async () => {
    await writeFile(join(directory, 'sheet.xlsx'), 'PK');

    const run = await synthdb(
      ['load', 'sheet.xlsx', '--entity', 'Experiment', '--mode', 'append'],
      directory,
      {
        DATABASE_URL: db.url,
      },
    );

    expect(run).toMatchObject({
      code: 2,
      stderr: 'synthdb: sheet.xlsx is a workbook; save its sheet as CSV UTF-8, and give that file\n',
    });
  });

  test('is shown by --dry-run as it was understood', async () => {
    const content = 'name;hypothesis;description;createdAt;rowVersion\na;h;;31/12/2024;"1.000"\n';
    const options = ['--dry-run', '--decimal-comma', '--date-format', 'DD/MM/YYYY', ...utc];

    const { stdout } = await load(content, ...options);
    const json = await load(content, ...options, '--json');

    expect(stdout).toContain('The first rows, as they were understood:');
    expect(stdout).toMatch(/"a" +"h" +null +"2024-12-31 00:00:00.000000\+00" +1000/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      rows: 1,
      first: [
        {
          name: 'a',
          hypothesis: 'h',
          description: null,
          createdAt: '2024-12-31 00:00:00.000000+00',
          rowVersion: 1000,
        },
      ],
    });
  });
});
