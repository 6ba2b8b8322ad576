/**
 * Sets `updated_at` at every change of a row that does not set it: the conflict branch of an upsert, a bulk update, plain SQL. A write that
 * sets it (a flush, an import) is left alone.
 */
export const setsUpdatedAt = {
  name: 'set_updated_at',
  timing: 'before' as const,
  events: ['update' as const],
  forEach: 'row' as const,
  body: `if new is distinct from old and new.updated_at is not distinct from old.updated_at then new.updated_at := clock_timestamp(); end if; return new;`,
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
  body: `if new.row_version = old.row_version and new is distinct from old then new.row_version := old.row_version + 1; end if; return new;`,
};
