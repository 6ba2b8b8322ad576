import { TextDecoder } from 'node:util';
import { UsageError } from 'mikro-orm-safe-migrations/cli';

/** How the bytes of a file are decoded. */
export interface DecodeOptions {
  /** A name of the Encoding Standard, such as `windows-1252`. Undefined for that of a byte order mark, else UTF-8. */
  readonly encoding: string | undefined;
  /** Called with the number of bytes of each chunk. */
  readonly onRead: (count: number) => void;
}

/**
 * Decodes text; a byte order mark is left out.
 *
 * @throws UsageError when the bytes are not valid in the encoding, with the line, the byte and the encoding that they look like.
 */
export async function* decodeText(
  bytes: AsyncIterable<Buffer>,
  { encoding: given, onRead }: DecodeOptions,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let encoding = given ?? 'utf-8';
  let [read, line] = [0, 1];
  // The bytes of a character that a chunk has only begun.
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    if (!decoder) {
      encoding = given ?? markedEncoding(chunk) ?? 'utf-8';
      decoder = decoderOf(encoding);
    }
    try {
      yield decoder.decode(chunk, { stream: true });
    } catch (cause) {
      throw invalid(Buffer.concat([pending, chunk]), { encoding, at: read - pending.length, line }, cause);
    }
    read += chunk.length;
    line += newLines(chunk);
    pending = Buffer.concat([pending, chunk]).subarray(-4);
    onRead(chunk.length);
  }
  try {
    yield (decoder ?? decoderOf(encoding)).decode();
  } catch (cause) {
    throw invalid(pending, { encoding, at: read - pending.length, line }, cause);
  }
}

/** @throws UsageError for an unknown encoding. */
export function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (cause) {
    throw new UsageError(
      `unknown encoding "${encoding}"; for example utf-8, windows-1252, utf-16le or shift_jis`,
      { cause },
    );
  }
}

function markedEncoding(begin: Buffer): string | null {
  const mark = begin.subarray(0, 2).toString('hex');
  return mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : null;
}

interface Place {
  readonly encoding: string;
  /** The number of bytes before `bytes`. */
  readonly at: number;
  readonly line: number;
}

function invalid(bytes: Buffer, { encoding, at, line }: Place, cause: unknown): UsageError {
  const offset = validLength(bytes, encoding);
  const lines = line + newLines(bytes.subarray(0, offset));
  const looks = looksLike(bytes.subarray(offset), encoding);
  const remedy =
    looks === null
      ? 'check the file, or give --encoding'
      : `it looks like ${looks}: give --encoding ${looks}`;
  return new UsageError(
    `the file is not valid ${encoding === 'utf-8' ? 'UTF-8' : encoding}: byte ${at + offset + 1}, in line ${lines}; ${remedy}`,
    { cause },
  );
}

/** Returns how many bytes at the beginning are whole characters. */
function validLength(bytes: Buffer, encoding: string): number {
  let [valid, all] = [0, bytes.length];
  while (valid < all) {
    const middle = Math.ceil((valid + all) / 2);
    try {
      decoderOf(encoding).decode(bytes.subarray(0, middle), { stream: true });
      valid = middle;
    } catch {
      all = middle - 1;
    }
  }
  // Without the first bytes of a character that goes wrong in a later one.
  while (valid > 0 && !isWhole(bytes.subarray(0, valid), encoding)) valid--;
  return valid;
}

function isWhole(bytes: Buffer, encoding: string): boolean {
  try {
    decoderOf(encoding).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function looksLike(bytes: Buffer, encoding: string): string | null {
  if (encoding !== 'utf-8') return null;
  const zeros = bytes.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  return zeros > bytes.length / 4 ? 'utf-16le' : 'windows-1252';
}

function newLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}
