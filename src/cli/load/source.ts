import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { isNativeError } from 'node:util/types';
import { UsageError } from 'mikro-orm-safe-migrations/cli';

export const formats = ['csv', 'jsonl'] as const;
export type Format = (typeof formats)[number];

/** Bytes or characters of the longest row that is read. One without an end would be gathered up to that of the file. */
export const longestRow = 64 * 2 ** 20;

/** What a longer row is told. */
export const tooLong = 'is longer than 64 MiB: a quote or the end of a line may be missing';

/** A file of rows, or standard input. */
export interface Source {
  readonly format: Format;
  /** Bytes; null when that is not known before the end. */
  readonly size: number | null;
  readonly bytes: Readable;
}

/**
 * Runs `work` on `file`, or standard input for `-`, and closes it, whoever still writes to it. The format is taken from the file's
 * name, unless it is given.
 *
 * @throws UsageError when it can't be read, or its format is not known.
 */
export async function withSource<T>(
  file: string,
  format: Format | undefined,
  work: (source: Source) => Promise<T>,
): Promise<T> {
  const source = await openSource(file, format);
  try {
    return await work(source);
  } finally {
    source.bytes.destroy();
  }
}

async function openSource(file: string, given: Format | undefined): Promise<Source> {
  const ending = extname(file).slice(1).toLowerCase();
  const format = given ?? formats.find((known) => known === ending);
  if (!format)
    throw new UsageError(`the name of ${file} does not tell its format; say --format csv or --format jsonl`);
  if (file === '-') return { format, size: null, bytes: process.stdin };
  try {
    const opened = await open(file);
    const found = await opened.stat();
    // A pipe has no size.
    const size = found.isFile() ? found.size : null;
    if (!found.isDirectory()) return { format, size, bytes: opened.createReadStream() };
    await opened.close();
  } catch (cause) {
    const why = isNativeError(cause) ? cause.message : 'unknown';
    throw new UsageError(`${file} can't be read: ${why}`, { cause });
  }
  throw new UsageError(`${file} is a directory`);
}

/**
 * The text of UTF-8 bytes, which `onRead` is told of as they come.
 *
 * @throws UsageError on bytes that are no UTF-8.
 */
export async function* textOf(
  bytes: AsyncIterable<Buffer>,
  onRead: (count: number) => void,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let read = 0;
  for await (const piece of bytes) {
    yield decoded(() => decoder.decode(piece, { stream: true }), read);
    read += piece.length;
    onRead(piece.length);
  }
  yield decoded(() => decoder.decode(), read);
}

function decoded(decode: () => string, read: number): string {
  try {
    return decode();
  } catch (cause) {
    throw new UsageError(`the rows are no UTF-8, some way behind byte ${read}`, { cause });
  }
}
