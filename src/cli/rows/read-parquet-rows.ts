import { UsageError } from 'mikro-orm-safe-migrations/cli';
import { isNativeError, isUint8Array } from 'node:util/types';
import { InvalidRowError } from '../../errors.ts';
import type { LoadColumn } from '../../loading/load/load-target.ts';
import { textOfMicroseconds, textOfMicroseconds64 } from '../../wire/instant.ts';
import { ConversionError } from '../../loading/load/conversion-error.ts';
import type { SchemaElement } from 'hyparquet';
import type { CellReader } from './cell-reader.ts';
import type { JsonReader } from './json-reader.ts';
import type { CsvOptions } from './read-csv-rows.ts';
import type { ParquetSource } from './source.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

// By default, the library makes values with fewer digits, or without a zone.
const parsers = {
  timestampFromMilliseconds: (millis: bigint) => textOfMicroseconds(millis * 1_000n),
  timestampFromMicroseconds: textOfMicroseconds64,
  timestampFromNanoseconds: (nanos: bigint) => textOfMicroseconds(nanos / 1_000n),
  dateFromDays: (days: number) => textOfMicroseconds(BigInt(days) * 86_400_000_000n),
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes),
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes),
};

/**
 * Yields the rows of a Parquet file, one row group in memory at a time. Texts in columns of documents are JSON. Dates, and times that the file does
 * not give in UTC, are in the zone of `cells`.
 *
 * @throws UsageError when it is not a Parquet file, is damaged, or has another compression than Snappy; InvalidRowError for a document that is not JSON, and for
 * a time without a zone.
 */
export async function* readParquetRows(
  { file, size }: ParquetSource,
  columns: readonly LoadColumn[],
  { json, cells, onRead }: Pick<CsvOptions, 'json' | 'cells'> & { readonly onRead: (bytes: number) => void },
): AsyncGenerator<object> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const source = {
    byteLength: size,
    slice: async (start: number, end = size): Promise<ArrayBuffer> => {
      const bytes = new Uint8Array(end - start);
      await file.read(bytes, 0, bytes.length, start);
      return bytes.buffer;
    },
  };
  const metadata = await parquetMetadataAsync(source).catch((cause: unknown) => {
    throw new UsageError('the file is not a Parquet file, or is not complete', { cause });
  });
  const documents = columns.filter(({ type }) => type === 'jsonb').map(({ property }) => property);
  const local = metadata.schema.filter(isLocal).map(({ name }) => name);
  const instants = new Set(
    columns.filter(({ type }) => type === 'timestamptz').map(({ property }) => property),
  );
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const part = { file: source, metadata, rowStart, rowEnd, parsers };
    const rows = await parquetReadObjects(part).catch((cause: unknown) => {
      throw unreadable(cause, rowStart);
    });
    onRead(Number(group.total_compressed_size ?? group.total_byte_size));
    for (const [index, row] of rows.entries()) {
      const at = rowStart + index + 1;
      for (const property of documents)
        row[property] = documentOf(row[property], { row: at, property }, json);
      for (const property of local)
        row[property] = localTime(
          row[property],
          { row: at, property },
          instants.has(property) ? cells : null,
        );
      yield row;
    }
    rowStart = rowEnd;
  }
}

/** Whether a column has dates, or times of a clock on a wall. */
function isLocal({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return converted === 'DATE' || (logical?.type === 'TIMESTAMP' && !logical.isAdjustedToUTC);
}

/** Returns a time without its zone, or in that of `cells`. */
function localTime(
  value: unknown,
  at: { readonly row: number; readonly property: string },
  cells: CellReader | null,
): unknown {
  if (typeof value !== 'string') return value;
  const text = value.replace(/\+00$/, '');
  if (!cells) return text;
  try {
    return cells.time(text);
  } catch (cause) {
    if (!(cause instanceof ConversionError)) throw cause;
    throw new InvalidRowError(at, cause.message, { cause });
  }
}

function unreadable(cause: unknown, rowStart: number): UsageError {
  const [, codec] =
    /unsupported compression codec: (\w+)/.exec(isNativeError(cause) ? cause.message : '') ?? [];
  return new UsageError(
    codec === undefined
      ? `the rows of the Parquet file from ${rowStart + 1} are damaged, or hold text that is not UTF-8; write it again`
      : `the Parquet file is compressed with ${codec}; write it with Snappy, or uncompressed`,
    { cause },
  );
}

function documentOf(
  value: unknown,
  at: { readonly row: number; readonly property: string },
  json: JsonReader,
): unknown {
  if (isUint8Array(value)) throw new InvalidRowError(at, 'is binary, and not JSON');
  return typeof value === 'string' ? json.parse(value, at) : value;
}
