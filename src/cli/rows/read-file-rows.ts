import type { LoadColumn } from '../../loading/load/load-target.ts';
import { decodeText, type DecodeOptions } from './decode-text.ts';
import { readCsvRows, type CsvOptions } from './read-csv-rows.ts';
import { readJsonlRows } from './read-jsonl-rows.ts';
import { readParquetRows } from './read-parquet-rows.ts';
import type { Source } from './source.ts';

/**
 * Yields the rows of a file, with the values of columns.
 *
 * @throws UsageError when the file can't be read as its format; InvalidRowError for the first row that can't.
 */
export function readFileRows(
  source: Source,
  columns: readonly LoadColumn[],
  { csv, ...options }: DecodeOptions & { readonly csv: CsvOptions },
): AsyncIterable<object> {
  if (source.format === 'parquet')
    return readParquetRows(source, columns, { ...csv, onRead: options.onRead });
  const text = decodeText(source.bytes, options);
  return source.format === 'csv' ? readCsvRows(text, columns, csv) : readJsonlRows(text, columns, csv.json);
}
