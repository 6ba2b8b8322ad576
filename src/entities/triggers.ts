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
