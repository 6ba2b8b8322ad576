import { UsageError } from 'mikro-orm-safe-migrations/cli';
import { open, type FileHandle } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { isNativeError } from 'node:util/types';

/** The supported formats of files. */
export const formats = ['csv', 'jsonl', 'parquet'] as const;
export type Format = (typeof formats)[number];

const plainText: ReadonlySet<string> = new Set(['tsv', 'tab']);
const workbooks: ReadonlySet<string> = new Set(['xlsx', 'xlsm', 'xlsb', 'xls', 'ods']);

/** The maximum size of a row in bytes or characters. It bounds the memory for a row whose end is missing. */
export const maxRowSize = 64 * 2 ** 20;

/** The message for a longer row. */
export const rowTooLong = 'is longer than 64 MiB; check for a missing quote or line end';

/** A file of rows, or standard input. */
export type Source = TextSource | ParquetSource;

interface TextSource {
  readonly format: Exclude<Format, 'parquet'>;
  /** The size in bytes; null when unknown. */
  readonly size: number | null;
  readonly bytes: Readable;
}

/** A file that is read at several places. */
export interface ParquetSource {
  readonly format: 'parquet';
  readonly size: number;
  readonly file: FileHandle;
}

/**
 * Runs `work` on `file`, or standard input for `-`, and closes it. The format defaults to the extension of the file.
 *
 * @throws UsageError when the file can't be read, or its format is unknown.
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
    if (source.format === 'parquet') await source.file.close();
    else source.bytes.destroy();
  }
}

async function openSource(file: string, given: Format | undefined): Promise<Source> {
  const ending = extname(file).slice(1).toLowerCase();
  const format = given ?? formats.find((known) => known === ending) ?? (plainText.has(ending) ? 'csv' : null);
  if (workbooks.has(ending) && !given)
    throw new UsageError(`${file} is a workbook; save its sheet as CSV UTF-8, and give that file`);
  if (!format) throw new UsageError(`the format of ${file} is unknown; use --format csv, jsonl or parquet`);
  const needsFile = `Parquet is read from its end: ${file} has to be a file`;
  if (file === '-') {
    if (format === 'parquet') throw new UsageError(needsFile);
    return { format, size: null, bytes: process.stdin };
  }
  try {
    const opened = await open(file);
    const found = await opened.stat();
    // A pipe has no size.
    const size = found.isFile() ? found.size : null;
    if (format === 'parquet' && size !== null) return { format, size, file: opened };
    if (format !== 'parquet' && !found.isDirectory())
      return { format, size, bytes: opened.createReadStream() };
    await opened.close();
    if (!found.isDirectory()) throw new UsageError(needsFile);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const why = isNativeError(cause) ? cause.message : 'unknown';
    throw new UsageError(`${file} can't be read: ${why}`, { cause });
  }
  throw new UsageError(`${file} is a directory; give a file`);
}
