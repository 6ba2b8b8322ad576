/**
 * Moves `updated_at` for every change of a row that did not set it: an upsert's conflict branch, a bulk update, plain SQL.
 * A write that brings its own time (a flush, an import) keeps it.
 */
export const keepsUpdatedAt = {
  name: 'set_updated_at',
  timing: 'before' as const,
  events: ['update' as const],
  forEach: 'row' as const,
  body: `if new is distinct from old and new.updated_at is not distinct from old.updated_at then new.updated_at := clock_timestamp(); end if; return new;`,
};

/**
 * Raises `row_version` by one for every change of a row by a statement that did not raise it: an upsert's conflict branch, a set-based
 * write, plain SQL, a foreign key that is set to NULL, a service of an older version of this package. A statement that raises it (a
 * flush, a load) is left alone.
 */
export const raisesRowVersion = {
  name: 'raise_row_version',
  timing: 'before' as const,
  events: ['update' as const],
  forEach: 'row' as const,
  body: `if new.row_version = old.row_version and new is distinct from old then new.row_version := old.row_version + 1; end if; return new;`,
};
