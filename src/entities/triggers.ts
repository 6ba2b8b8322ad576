// The conditions are written as PostgreSQL prints them, so that the ORM's comparison finds no difference. They are checked before the
// function is called, which costs more than the rest of an update.

/**
 * Sets `updated_at` at every change of a row that does not set it: the conflict branch of an upsert, a bulk update, plain SQL. A write that
 * sets it (a flush, an import) is left alone.
 */
export const setsUpdatedAt = {
  name: 'set_updated_at',
  timing: 'before' as const,
  events: ['update' as const],
  forEach: 'row' as const,
  when: '((NOT (new.updated_at IS DISTINCT FROM old.updated_at)) AND (new.* IS DISTINCT FROM old.*))',
  body: `new.updated_at := clock_timestamp(); return new;`,
};

/**
 * Increments `row_version` at every change of a row by a statement that does not: the conflict branch of an upsert, a bulk update, plain SQL,
 * a foreign key that is set to NULL, a service with an older version of this package. A statement that increments it (a flush, a load) is
 * left alone.
 */
export const incrementsRowVersion = {
  name: 'raise_row_version',
  timing: 'before' as const,
  events: ['update' as const],
  forEach: 'row' as const,
  when: '((new.row_version = old.row_version) AND (new.* IS DISTINCT FROM old.*))',
  body: `new.row_version := old.row_version + 1; return new;`,
};
