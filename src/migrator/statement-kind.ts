/** How a statement that can't run in a transaction is taken up again after nobody knows whether it was done. */
export type Standalone =
  /** Names as they were written: the index null where PostgreSQL is to choose one. */
  | { readonly kind: 'create index'; readonly index: string | null; readonly table: string }
  | { readonly kind: 'drop index'; readonly index: string }
  | { readonly kind: 'other' };

const name = String.raw`((?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?)`;
const createIndex = new RegExp(
  String.raw`^create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?(?:(?!on\s)${name}\s+)?on\s+(?:only\s+)?${name}`,
  'i',
);
const dropIndex = new RegExp(String.raw`^drop\s+index\s+concurrently\s+(?:if\s+exists\s+)?${name}`, 'i');
const others =
  /^(?:vacuum\b|reindex\b[^;]*\bconcurrently\b|reindex\s+(?:\([^)]*\)\s*)?(?:database|system)\b|cluster\s*;?$|(?:create|drop)\s+(?:database|tablespace)\b|alter\s+system\b|alter\s+table\b[^;]*\bdetach\s+partition\b[^;]*\bconcurrently\b|(?:create|alter|drop)\s+subscription\b)/i;

/** Null for a statement that may run in a transaction, together with the note that it was done. */
export function standaloneKind(statement: string): Standalone | null {
  const text = withoutComments(statement);
  const created = createIndex.exec(text);
  if (created?.[2]) return { kind: 'create index', index: created[1] ?? null, table: created[2] };
  const dropped = dropIndex.exec(text);
  if (dropped?.[1]) return { kind: 'drop index', index: dropped[1] };
  return others.test(text) ? { kind: 'other' } : null;
}

// Those in front of the statement: only its beginning is looked at.
function withoutComments(statement: string): string {
  return statement.replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '');
}
