import { sql, type Expression, type SelectQueryBuilder } from 'kysely';

/** Returns the number of rows of a query, as one value. */
export function countOf<DB, TB extends keyof DB>(
  rows: SelectQueryBuilder<DB, TB, object>,
): Expression<number> {
  return sql<number>`${rows.select(sql<number>`count(*)::integer`.as('count'))}`;
}

/**
 * Returns whether a query has a row, found by an index for each row that is shown. For `exists`, PostgreSQL may hash the whole other
 * table, which takes the longer the larger that table is.
 */
export function hasRow<DB, TB extends keyof DB>(
  rows: SelectQueryBuilder<DB, TB, object>,
): Expression<boolean> {
  return sql<boolean>`${rows.select(sql<true>`true`.as('found')).limit(sql.lit(1))} is not null`;
}
