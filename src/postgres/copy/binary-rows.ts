import { documentText } from '../../json/document-text.ts';
import { refuseMalformedText } from '../client/unstorable-values.ts';

// https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". It spares both sides escapes and decimal numbers.
const signature = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const trailer = Buffer.from([0xff, 0xff]);
const pieceSize = 64 * 1_024;
const jsonbVersion = 1;
// A character of JavaScript's takes so many bytes at most.
const widest = 3;
// PostgreSQL counts from 2000, in microseconds.
const epoch = BigInt(Date.UTC(2000, 0)) * 1_000n;

/** The types of columns that rows can be copied into. */
export type CopiedType = 'text' | 'double precision' | 'jsonb';

/** The types of columns that can be sent in binary. */
export type BinaryType = CopiedType | 'integer' | 'timestamptz';

/** What stands for a value: text and JSON as text, a time in microseconds since 1970. */
export type CopiedValue = string | number | bigint | null;

/** Gathers rows as `copy … from stdin (format binary)` takes them, in pieces of some 64 KiB. */
export class BinaryRows {
  readonly #types: readonly BinaryType[];
  #buffer = Buffer.allocUnsafe(pieceSize);
  #end = signature.copy(this.#buffer);

  constructor(types: readonly BinaryType[]) {
    this.#types = types;
  }

  /** Adds a row, a value for each type. Gives what was gathered before it, when it leaves no room for the row. */
  add(values: readonly CopiedValue[]): Buffer | null {
    const most = mostBytes(values);
    let full: Buffer | null = null;
    if (this.#end + most > this.#buffer.length) {
      full = this.#buffer.subarray(0, this.#end);
      this.#buffer = Buffer.allocUnsafe(Math.max(pieceSize, most));
      this.#end = 0;
    }
    this.#end = this.#buffer.writeInt16BE(values.length, this.#end);
    for (let index = 0; index < values.length; index++) {
      this.#end = write(this.#buffer, this.#end, this.#types[index], values[index]);
    }
    return full;
  }

  /** What is left, and the end. */
  finish(): Buffer {
    return Buffer.concat([this.#buffer.subarray(0, this.#end), trailer]);
  }
}

/**
 * Rows of `table` as `copy … from stdin (format binary)` takes them.
 *
 * @throws InvalidValueError or InvalidJsonError at a value that PostgreSQL would store as another, or refuse.
 */
export function* binaryRows(
  table: string,
  columns: Readonly<Record<string, CopiedType>>,
  rows: Iterable<Readonly<Record<string, unknown>>>,
): Generator<Buffer, void> {
  const names = Object.keys(columns);
  const types = Object.values(columns);
  const gathered = new BinaryRows(types);
  for (const row of rows) {
    const full = gathered.add(
      names.map((name, index) => copiedValue({ table, column: name }, types[index], row[name])),
    );
    if (full) yield full;
  }
  yield gathered.finish();
}

function copiedValue(
  at: { readonly table: string; readonly column: string },
  type: CopiedType | undefined,
  value: unknown,
): CopiedValue {
  if (value == null) return null;
  if (type === 'double precision') return Number(value);
  if (type !== 'text' || typeof value !== 'string') return documentText(`${at.table}.${at.column}`, value);
  refuseMalformedText(value, at);
  return value;
}

function mostBytes(values: readonly CopiedValue[]): number {
  let most = 2;
  for (const value of values) most += 4 + (typeof value === 'string' ? 1 + value.length * widest : 8);
  return most;
}

/** Writes a value behind its length, and gives where it ends. */
function write(
  buffer: Buffer,
  at: number,
  type: BinaryType | undefined,
  value: CopiedValue | undefined,
): number {
  const start = at + 4;
  if (value == null) return buffer.writeInt32BE(-1, at);
  if (typeof value === 'bigint') {
    buffer.writeInt32BE(8, at);
    return buffer.writeBigInt64BE(value - epoch, start);
  }
  if (typeof value === 'number') {
    if (type === 'integer') {
      buffer.writeInt32BE(4, at);
      return buffer.writeInt32BE(value, start);
    }
    buffer.writeInt32BE(8, at);
    return buffer.writeDoubleBE(value, start);
  }
  const text = type === 'jsonb' ? buffer.writeInt8(jsonbVersion, start) : start;
  const end = text + buffer.write(value, text);
  buffer.writeInt32BE(end - start, at);
  return end;
}
