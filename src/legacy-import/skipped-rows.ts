import { isUint8Array } from 'node:util/types';
import type { TargetTable } from './destination/target-table.ts';
import type { UnknownPart } from './find-unknown-parts.ts';
import { UnreadableText, type SourceValue } from './source/legacy-source.ts';
import { LaterDocuments } from './source/later-documents.ts';
import type { PartialSource } from './source/partial-source.ts';
import { read } from './source/read-rows.ts';

/** A row that was skipped or rejected, or a value of a skipped column with the key of its row. */
export interface SkippedRow {
  readonly table: string;
  /** The values by their columns: blobs in Base64, text that is not valid UTF-8 as null. */
  readonly row: Readonly<Record<string, string | number | null>>;
  /** Why it was rejected, as `column: reason`; absent for a row that was skipped. */
  readonly rejected?: string;
}

/** Returns a rejected row, with its values in the order of the columns. */
export function rejectedRow(
  { name, columns }: TargetTable,
  values: readonly SourceValue[],
  findings: readonly { readonly column: string | null; readonly reason: string }[],
): SkippedRow {
  const row = columns.map((column, index) => [column.name, plain(values[index] ?? null)] as const);
  const reasons = findings.map(({ column, reason }) => (column === null ? reason : `${column}: ${reason}`));
  return { table: name, row: Object.fromEntries(row), rejected: reasons.join('; ') };
}

/**
 * Yields what an import leaves behind because its options skip it, without what became documents.
 *
 * @throws LegacySourceError when the source can't be read.
 */
export async function* skippedRows(
  source: PartialSource,
  tables: readonly TargetTable[],
  unknown: readonly UnknownPart[],
): AsyncGenerator<SkippedRow> {
  for (const { name, rows, skipped } of unknown) {
    if (!skipped || rows === 0) continue;
    const [table = '', column] = name.split('.', 2);
    const key = tables.find((target) => target.name === table)?.key ?? [];
    const columns = source.tables.find((one) => one.name === table)?.columns ?? [];
    const ofValue = column === undefined ? columns : [...key, column];
    const left = name === LaterDocuments.part ? source.later.left : undefined;
    for await (const row of read(source.whole, table, left ? columns : ofValue)) {
      const isWhole = left?.has(row['id'] ?? null) ?? false;
      if (column !== undefined && (row[column] ?? null) === null && !isWhole) continue;
      if (source.documents.includes(name, row['exec_id'])) continue;
      const names = isWhole ? columns : ofValue;
      const values = names.map((at) => [at, plain(row[at] ?? null)] as const);
      yield { table, row: Object.fromEntries(values) };
    }
  }
}

function plain(value: SourceValue): string | number | null {
  if (value instanceof UnreadableText) return null;
  if (isUint8Array(value)) return Buffer.from(value).toString('base64');
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}
