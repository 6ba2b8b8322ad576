import type { CopiedType } from '../repositories/row-copier.ts';

// https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". It spares both sides escapes and decimal numbers.
const signature = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const trailer = Buffer.from([0xff, 0xff]);
const chunkSize = 64 * 1_024;
const jsonbVersion = 1;
// A character of JavaScript's takes so many bytes at most.
const widest = 3;

/** Rows as `copy … from stdin (format binary)` takes them, in pieces of some 64 KiB. */
export function* binaryRows(
  columns: Readonly<Record<string, CopiedType>>,
  rows: Iterable<Readonly<Record<string, unknown>>>,
): Generator<Buffer, void> {
  const names = Object.keys(columns);
  const types = Object.values(columns);
  let buffer = Buffer.allocUnsafe(chunkSize);
  let end = signature.copy(buffer);
  for (const row of rows) {
    const values = names.map((name, index) => wireValue(types[index], row[name]));
    const most = mostBytes(values);
    if (end + most > buffer.length) {
      yield buffer.subarray(0, end);
      buffer = Buffer.allocUnsafe(Math.max(chunkSize, most));
      end = 0;
    }
    end = buffer.writeInt16BE(values.length, end);
    for (let index = 0; index < values.length; index++) {
      end = write(buffer, end, types[index], values[index]);
    }
  }
  yield buffer.subarray(0, end);
  yield trailer;
}

type WireValue = string | number | null;

function wireValue(type: CopiedType | undefined, value: unknown): WireValue {
  if (value == null) return null;
  if (type === 'double precision') return Number(value);
  return type === 'text' && typeof value === 'string' ? value : JSON.stringify(value);
}

function mostBytes(values: readonly WireValue[]): number {
  let most = 2;
  for (const value of values) most += 4 + (typeof value === 'string' ? 1 + value.length * widest : 8);
  return most;
}

/** Writes a value behind its length, and gives where it ends. */
function write(
  buffer: Buffer,
  at: number,
  type: CopiedType | undefined,
  value: WireValue | undefined,
): number {
  const start = at + 4;
  if (value == null) return buffer.writeInt32BE(-1, at);
  if (typeof value === 'number') {
    buffer.writeInt32BE(8, at);
    return buffer.writeDoubleBE(value, start);
  }
  const text = type === 'jsonb' ? buffer.writeInt8(jsonbVersion, start) : start;
  const end = text + buffer.write(value, text);
  buffer.writeInt32BE(end - start, at);
  return end;
}
