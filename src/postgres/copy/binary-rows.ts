import { CheckedDocument } from '../../json/check-shape.ts';
import { documentText } from '../../json/document-text.ts';
import { refuseMalformedText } from '../client/unstorable-values.ts';

// https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". It needs no escapes and no decimal numbers.
const signature = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const trailer = Buffer.from([0xff, 0xff]);
const pieceSize = 64 * 1_024;
const jsonbVersion = 1;
// The maximum number of bytes of a UTF-16 code unit.
const widest = 3;
// PostgreSQL counts from 2000, in microseconds.
const epoch = BigInt(Date.UTC(2000, 0)) * 1_000n;

/** The types of columns that rows can be copied into. */
export type CopiedType = 'text' | 'double precision' | 'jsonb';

/** The types of columns that can be sent in binary. */
export type BinaryType = CopiedType | 'integer' | 'timestamptz';

/** The form of a value to copy: text and JSON as text, a time as microseconds since 1970. */
export type CopiedValue = string | number | bigint | null;

/** Encodes rows for `copy … from stdin (format binary)`, in pieces of about 64 KiB. */
export class BinaryRows {
  readonly #types: readonly BinaryType[];
  #buffer = Buffer.allocUnsafe(pieceSize);
  #end = signature.copy(this.#buffer);

  constructor(types: readonly BinaryType[]) {
    this.#types = types;
  }

  /** Adds a row, with a value for each type. Returns the piece before it when the row does not fit into it; else null. */
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

  /** Returns the last piece, with the end of the COPY. */
  finish(): Buffer {
    return Buffer.concat([this.#buffer.subarray(0, this.#end), trailer]);
  }
}

/**
 * Encodes rows of `table` for `copy … from stdin (format binary)`.
 *
 * @throws InvalidValueError or InvalidJsonError at a value that PostgreSQL would refuse, or store as another one.
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
  if (value instanceof CheckedDocument) return value.text;
  if (type !== 'text' || typeof value !== 'string') return documentText(`${at.table}.${at.column}`, value);
  refuseMalformedText(value, at);
  return value;
}

function mostBytes(values: readonly CopiedValue[]): number {
  let most = 2;
  for (const value of values) most += 4 + (typeof value === 'string' ? 1 + value.length * widest : 8);
  return most;
}

/** Writes the length and the value. Returns the offset of its end. */
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
