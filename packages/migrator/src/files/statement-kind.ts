/** How a statement that can't run in a transaction is taken up again after nobody knows whether it was done. */
export type Standalone =
  /** Names as they were written: the index null where PostgreSQL is to choose one. */
  | { readonly kind: 'create index'; readonly index: string | null; readonly table: string }
  | { readonly kind: 'drop index'; readonly index: string }
  /** The name null where it is the connected database. */
  | { readonly kind: 'reindex'; readonly what: string; readonly name: string | null }
  | { readonly kind: 'detach partition'; readonly table: string; readonly partition: string }
  | { readonly kind: 'other' };

const word = String.raw`(?:"(?:[^"]|"")+"|[\w$\u0080-\uffff]+)`;
const name = String.raw`(${word}(?:\.${word})?)`;
const createIndex = statement(
  String.raw`create (?:unique )?index concurrently (?:if not exists )?(?:(?!on )${name} )?on (?:only )?${name}`,
);
const dropIndex = statement(String.raw`drop index concurrently (?:if exists )?${name}`);
const reindex = statement(
  String.raw`reindex\b\s*(\([^)]*\))?\s*(index|table|schema|database|system)( concurrently\b)?(?: ${name})?`,
);
const detachPartition = statement(
  String.raw`alter table (?:if exists )?${name} detach partition ${name} concurrently`,
);
const others = statement(
  String.raw`(?:vacuum\b|cluster\s*;?$|(?:create|drop) (?:database|tablespace)\b|alter system\b|alter database\b.*\bset tablespace\b|(?:create|alter|drop) subscription\b)`,
);

/** Null for a statement that may run in a transaction, together with the note that it was done. */
export function standaloneKind(sql: string): Standalone | null {
  const text = withoutComments(sql);
  const created = createIndex.exec(text);
  if (created?.[2]) return { kind: 'create index', index: created[1] ?? null, table: created[2] };
  const dropped = dropIndex.exec(text);
  if (dropped?.[1]) return { kind: 'drop index', index: dropped[1] };
  const detached = detachPartition.exec(text);
  if (detached?.[1] && detached[2])
    return { kind: 'detach partition', table: detached[1], partition: detached[2] };
  const [, options = '', what, concurrently, indexes = null] = reindex.exec(text) ?? [];
  const alone = concurrently !== undefined || /\bconcurrently\b/i.test(options);
  if (what && (alone || !/^(?:index|table)$/i.test(what)))
    return { kind: 'reindex', what: what.toLowerCase(), name: indexes };
  return others.test(text) ? { kind: 'other' } : null;
}

function statement(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll(' ', String.raw`\s+`)}`, 'is');
}

const control =
  /^(?:begin|start\s+transaction|commit|abort|rollback(?!\s+(?:(?:work|transaction)\s+)?to\b)|prepare\s+transaction)\b/i;

/** What in a text begins or ends a transaction, which is for the migrator to do; null when nothing does. */
export function transactionControl(sql: string): string | null {
  const parts = sql.replaceAll(commentOrQuoted, ' ').split(';');
  let inBody = false;
  for (const part of parts.map((text) => text.trim())) {
    // The body of a function in standard SQL has statements of its own, and ends like a transaction.
    inBody ||= /\bbegin\s+atomic\b/i.test(part);
    if (/^end\b/i.test(part)) {
      if (!inBody) return part;
      inBody = false;
    } else if (control.test(part)) return part;
  }
  return null;
}

// Strings and names are looked past.
const commentOrQuoted = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$/g;

function withoutComments(sql: string): string {
  return sql.replaceAll(commentOrQuoted, (text) => (/^(?:--|\/\*)/.test(text) ? ' ' : text)).trim();
}
