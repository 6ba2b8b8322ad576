import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TestDatabase } from '../../../src/testing/index.ts';
import { synthdb, type Run } from '../run.ts';

let db: TestDatabase;
let directory: string;
beforeAll(async () => {
  db = await TestDatabase.create();
  directory = await mkdtemp(join(tmpdir(), 'synthdb-parquet-'));
  await writeFile(join(directory, 'package.json'), '{}');
});
afterAll(async () => {
  await db.drop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => db.orm.em.fork().execute('delete from synth_groups'));

const appending = ['--entity', 'SynthGroup', '--mode', 'append'];
const run = (...args: string[]): Promise<Run> => synthdb(args, directory, { DATABASE_URL: db.url });

const micros = 1_772_366_400_123_456n;

/** Loads a group whose time is written as this type. */
async function load(type: object, value: unknown, ...options: string[]): Promise<Run> {
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'id', data: ['grp_1'] },
      { name: 'name', data: ['a'] },
      { name: 'createdAt', data: [value] },
    ],
    schema: [
      { name: 'root', num_children: 3 },
      { name: 'id', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
      { name: 'name', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
      { name: 'createdAt', ...type },
    ],
  });
  await writeFile(join(directory, 'groups.parquet'), Buffer.from(bytes));
  return run('load', 'groups.parquet', ...appending, ...options);
}

const stored = (): Promise<object[]> =>
  db.orm.em
    .fork()
    .execute(
      `select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as time from synth_groups`,
    );

const timestamp = (isAdjustedToUTC: boolean) => ({
  type: 'INT64',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC, unit: 'MICROS' },
});

test('a time in UTC is the same instant, to the microsecond', async () => {
  expect(await load(timestamp(true), micros)).toMatchObject({ code: 0 });

  expect(await stored()).toEqual([{ time: '2026-03-01 12:00:00.123456' }]);
});

test.each([
  ['a time without a zone', timestamp(false), micros, '2026-03-01 15:00:00.123456'],
  ['a date', { type: 'INT32', converted_type: 'DATE' }, 20_513, '2026-03-01 03:00:00.000000'],
])('%s needs the zone that it is in', async (_, type, value, expected) => {
  const refused = await load(type, value);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain('row 1, createdAt: ');
  expect(refused.stderr).toContain('--time-zone');
  expect(await stored()).toEqual([]);

  expect(await load(type, value, '--time-zone', 'America/Sao_Paulo')).toMatchObject({ code: 0 });
  expect(await stored()).toEqual([{ time: expected }]);
});

test.each([
  ['text', Buffer.from('id,name\n')],
  ['a part of a file', Buffer.from('PAR1')],
])('load refuses %s that is named .parquet', async (_, content) => {
  await writeFile(join(directory, 'a.parquet'), content);

  const { code, stderr } = await run('load', 'a.parquet', ...appending);

  expect(code).toBe(2);
  expect(stderr).toContain('the file is not a Parquet file, or is not complete');
});

test.each(['ZSTD', 'GZIP'] as const)(
  'load names the compression %s, which it does not read',
  async (codec) => {
    const data = Array.from({ length: 100 }, (_, n) => `group ${n}`);
    const columnData = ['id', 'name'].map((name) => ({ name, data, type: 'STRING' as const }));
    const compressors = { [codec]: (bytes: Uint8Array) => bytes.slice(1) };
    const content = parquetWriteBuffer({ codec, compressors, columnData });
    await writeFile(join(directory, 'a.parquet'), Buffer.from(content));

    const { code, stderr } = await run('load', 'a.parquet', ...appending);

    expect(code).toBe(2);
    expect(stderr).toContain(`the Parquet file is compressed with ${codec}; write it with Snappy`);
  },
);

test('load takes Parquet from a file only, without options for CSV', async () => {
  expect(await run('load', '-', '--format', 'parquet', ...appending)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Parquet is read from its end: - has to be a file'),
  });
  await run('export', 'SynthGroup', '--to', 'groups.parquet');
  expect(await run('load', 'groups.parquet', '--null', 'x', ...appending)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--null is for CSV only'),
  });
});
