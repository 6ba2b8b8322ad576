import type { BinaryType } from './binary-rows.ts';

/** The form of a value that was copied: documents as the bytes of their text, a time as microseconds since 1970. */
export type ReadValue = string | number | bigint | Uint8Array | null;

const signatureSize = 19;
// PostgreSQL counts from 2000, in microseconds.
const epoch = BigInt(Date.UTC(2000, 0)) * 1_000n;

/**
 * Yields the rows of `copy … to stdout (format binary)`, with a value for each type. Returns their number, which `chunks` returns. A document keeps its chunk in
 * memory.
 *
 * https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"
 */
export async function* readBinaryRows(
  chunks: AsyncGenerator<Buffer, number>,
  types: readonly BinaryType[],
): AsyncGenerator<ReadValue[], number> {
  // A large row comes in many chunks: they are joined once there are as many bytes as it is known to need.
  let pending: Buffer[] = [];
  let [size, needed] = [0, signatureSize];
  let isStarted = false;
  try {
    for (;;) {
      const { done, value } = await chunks.next();
      if (done) return value;
      pending.push(value);
      size += value.length;
      if (size < needed) continue;
      const bytes = pending.length === 1 ? value : Buffer.concat(pending);
      let at = 0;
      if (!isStarted) {
        at = signatureSize + bytes.readInt32BE(signatureSize - 4);
        isStarted = true;
      }
      let end = endOfRow(bytes, at);
      for (; end <= bytes.length; end = endOfRow(bytes, at)) {
        const row = rowAt(bytes, at, types);
        // The trailer has no values.
        if (row) yield row;
        at = end;
      }
      pending = [bytes.subarray(at)];
      [size, needed] = [bytes.length - at, end - at];
    }
  } finally {
    await chunks.return(0);
  }
}

/** Returns where the row that begins at `start` ends; as far as is known when not all of it is there, which is after the end of `bytes`. */
function endOfRow(bytes: Buffer, start: number): number {
  let at = start + 2;
  if (bytes.length < at) return at;
  const count = bytes.readInt16BE(start);
  for (let index = 0; index < count; index++) {
    if (bytes.length < at + 4) return at + 4;
    at += 4 + Math.max(0, bytes.readInt32BE(at));
  }
  return at;
}

function rowAt(bytes: Buffer, start: number, types: readonly BinaryType[]): ReadValue[] | null {
  if (bytes.readInt16BE(start) < 0) return null;
  let at = start + 2;
  return types.map((type) => {
    const size = bytes.readInt32BE(at);
    const from = at + 4;
    at = from + Math.max(0, size);
    return size < 0 ? null : readers[type](bytes, from, at);
  });
}

const readers: Readonly<Record<BinaryType, (bytes: Buffer, start: number, end: number) => ReadValue>> = {
  text: (bytes, start, end) => bytes.toString('utf8', start, end),
  integer: (bytes, start) => bytes.readInt32BE(start),
  'double precision': (bytes, start) => bytes.readDoubleBE(start),
  timestamptz: (bytes, start) => bytes.readBigInt64BE(start) + epoch,
  // After its version.
  jsonb: (bytes, start, end) => bytes.subarray(start + 1, end),
};
