import { sql, type Expression, type SelectQueryBuilder } from 'kysely';

/** Returns the number of rows of a query, as a scalar subquery. */
export function countOf<DB, TB extends keyof DB>(
  rows: SelectQueryBuilder<DB, TB, object>,
): Expression<number> {
  return sql<number>`${rows.select(sql<number>`count(*)::integer`.as('count'))}`;
}

/**
 * Returns whether a query has a row, as a scalar subquery: PostgreSQL looks it up by an index for each shown row. For `exists` it may hash
 * the whole other table, which takes longer the larger that table is.
 */
export function hasRow<DB, TB extends keyof DB>(
  rows: SelectQueryBuilder<DB, TB, object>,
): Expression<boolean> {
  return sql<boolean>`${rows.select(sql<true>`true`.as('found')).limit(sql.lit(1))} is not null`;
}
