import { expect, test } from 'vitest';
import { readBinaryRows, type ReadValue } from '../../../src/postgres/copy/binary-reader.ts';
import {
  BinaryRowEncoder,
  type BinaryType,
  type CopiedValue,
} from '../../../src/postgres/copy/binary-rows.ts';

const types: BinaryType[] = ['text', 'integer', 'text'];

function encoded(rows: readonly CopiedValue[][]): Buffer {
  const encoder = new BinaryRowEncoder(types);
  const chunks = rows.flatMap((row) => encoder.add(row) ?? []);
  return Buffer.concat([...chunks, encoder.finish()]);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, number> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  return 7;
}

async function read(bytes: Buffer, size: number): Promise<ReadValue[][]> {
  const rows: ReadValue[][] = [];
  for await (const row of readBinaryRows(inPieces(bytes, size), types)) rows.push(row);
  return rows;
}

test.each([1, 2, 3, 5, 18, 19, 20, 21, 64, 1_000])(
  'rows in pieces of %i bytes are all read',
  async (size) => {
    const rows: CopiedValue[][] = [
      ['a', 1, 'x'.repeat(100)],
      [null, null, null],
      ['', -1, '😀'],
    ];

    expect(await read(encoded(rows), size)).toEqual(rows);
  },
);

test('no rows are read from the header and the trailer', async () => {
  expect(await read(encoded([]), 4)).toEqual([]);
});

// In time that grows with the square of its size, it took more than a minute.
test('a row of 64 MB is read in the time of its bytes', { timeout: 10_000 }, async () => {
  const long = 'x'.repeat(64 * 2 ** 20);

  const [row] = await read(encoded([[long, 1, 'y']]), 64 * 1_024);

  expect(row?.[0] === long).toBe(true);
});
