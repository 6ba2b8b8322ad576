import { parse } from 'csv-parse/sync';
import { buffer } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatRows } from '../../src/exporting/index.ts';
import { rawJSON } from '../../src/json/raw-json.ts';

const textOf = async (rows: Iterable<object>, format: 'csv' | 'jsonl'): Promise<string> =>
  (await buffer(formatRows(rows, format))).toString();

const rows = [
  {
    id: 'a',
    name: 'one, "two"\nthree',
    none: null,
    empty: '',
    count: 1.5,
    is: true,
    at: new Date('2026-03-01T12:00:00.123Z'),
    document: { digits: rawJSON('12345678901234567890'), list: [1, 'x'] },
  },
];

test('CSV has the members as its header, and values as load reads them', async () => {
  expect(await textOf(rows, 'csv')).toBe(
    'id,name,none,empty,count,is,at,document\n' +
      'a,"one, ""two""\nthree",,"",1.5,true,2026-03-01T12:00:00.123Z,"{""digits"":12345678901234567890,""list"":[1,""x""]}"\n',
  );
});

test('JSON lines keep all digits', async () => {
  expect(await textOf(rows, 'jsonl')).toBe(
    '{"id":"a","name":"one, \\"two\\"\\nthree","none":null,"empty":"","count":1.5,"is":true,"at":"2026-03-01T12:00:00.123Z","document":{"digits":12345678901234567890,"list":[1,"x"]}}\n',
  );
});

test('no rows are an empty file', async () => {
  expect(await textOf([], 'csv')).toBe('');
  expect(await textOf([], 'jsonl')).toBe('');
});

test('any texts come back from CSV', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ a: fc.string({ unit: 'binary' }), b: fc.string({ unit: 'binary' }) }), {
        minLength: 1,
      }),
      async (texts) => {
        const read: unknown = parse(await textOf(texts, 'csv'), { columns: true, record_delimiter: '\n' });
        expect(read).toEqual(texts);
      },
    ),
  );
});

test('more rows than fit into a piece are all there', async () => {
  const many = Array.from({ length: 20_000 }, (_, n) => ({ n }));

  expect((await textOf(many, 'jsonl')).split('\n')).toHaveLength(20_001);
});
