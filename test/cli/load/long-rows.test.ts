import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { csvOptionsOf } from '../../../src/cli/rows/file-options.ts';
import { JsonReader } from '../../../src/cli/rows/json-reader.ts';
import { readCsvRecords } from '../../../src/cli/rows/read-csv-rows.ts';
import { readJsonlRows } from '../../../src/cli/rows/read-jsonl-rows.ts';

const pieceLength = 2 ** 20;

test.each([
  [
    'CSV',
    'id,name\na,b\nc,"',
    (text: AsyncIterable<string>) => readCsvRecords(text, csvOptionsOf({ headerLine: 1 }, 'csv')),
  ],
  [
    'JSON lines',
    '{}\n{"name":"',
    (text: AsyncIterable<string>) => readJsonlRows(text, [], new JsonReader(false)),
  ],
])('an endless row of %s is refused before it fills the memory', async (_, begin, read) => {
  let pieces = 0;
  async function* endless(): AsyncGenerator<string> {
    yield begin;
    for (; pieces < 200; pieces++) yield 'x'.repeat(pieceLength);
  }

  await expect(Readable.from(read(endless())).toArray()).rejects.toMatchObject({
    name: 'InvalidRowError',
    row: 2,
    message: expect.stringContaining('longer than 64 MiB'),
  });
  expect(pieces).toBeLessThan(100);
});
