// In characters, approximately.
const chunkSize = 64 * 1_024;

const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Yields rows in COPY's text format, in chunks. https://www.postgresql.org/docs/current/sql-copy.html, "Text Format". */
export function* encodeCopyText(rows: Iterable<readonly (string | null)[]>): Generator<Buffer, void> {
  let text = '';
  for (const fields of rows) {
    for (let index = 0; index < fields.length; index++) {
      if (index > 0) text += '\t';
      text += encodeField(fields[index] ?? null);
    }
    text += '\n';
    if (text.length < chunkSize) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

function encodeField(text: string | null): string {
  if (text === null) return '\\N';
  return /[\\\n\r\t]/.test(text) ? text.replaceAll(/[\\\n\r\t]/g, (found) => escapes[found] ?? found) : text;
}
