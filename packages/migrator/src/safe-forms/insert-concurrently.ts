// The ORM writes the statement; names come after these words.
const created = /^create (unique )?index /i;

/** Returns a `create index` of the ORM that builds the index beside writers. */
export function insertConcurrently(sql: string): string {
  return sql.replace(created, 'create $1index concurrently ');
}
