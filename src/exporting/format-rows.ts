import { isDate } from 'node:util/types';
import { storableText } from '../json/document-text.ts';

// Rows are sent in pieces of about this many characters.
const pieceSize = 64 * 1_024;

/**
 * Yields rows of a read model as the bytes of a file, such as those of `uow.experiments.streamSummaries()`: CSV with the members of the first row as its
 * header, documents as JSON, times in ISO 8601; or JSON lines. Returns the number of rows.
 */
export async function* formatRows(
  rows: AsyncIterable<object> | Iterable<object>,
  format: 'csv' | 'jsonl',
): AsyncGenerator<Uint8Array, number> {
  let members: readonly string[] | null = null;
  let [count, piece] = [0, ''];
  for await (const row of rows) {
    count += 1;
    if (format === 'jsonl') piece += `${storableText(row)}\n`;
    else {
      if (!members) {
        members = Object.keys(row);
        piece += `${members.map((member) => cellOf(member)).join(',')}\n`;
      }
      piece += `${members.map((member) => cellOf(Reflect.get(row, member))).join(',')}\n`;
    }
    if (piece.length < pieceSize) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
  return count;
}

/** Returns a value as PostgreSQL writes CSV: nothing for null, quotes around an empty text and where they are needed. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = textOf(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return isDate(value) ? value.toISOString() : storableText(value);
}
