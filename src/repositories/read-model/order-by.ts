import { sql } from 'kysely';
import { builder } from './builder.ts';
import type { AnyReadModel } from './read-model.ts';
import type { ResolvedModel } from './resolved-model.ts';
import type { Sql } from './row.ts';

type Sort = AnyReadModel['sorts'][string];

/** Returns the `order by` clause for a sort key; for none, by the tie-breaker. Nulls are last. */
export function orderBy(model: ResolvedModel, sortBy: string, direction: 'asc' | 'desc'): Sql {
  const sort = model.model.sorts[sortBy] ?? model.tieBreaker;
  const items = typeof sort === 'string' ? columnOrder(model, sort, direction) : fixedOrder(model, sort);
  return sql` order by ${sql.join(items)}`;
}

function columnOrder(model: ResolvedModel, sort: string, direction: 'asc' | 'desc'): Sql[] {
  const order = sql.raw(direction);
  // Only for a column that can be null: elsewhere the planner could not use the index.
  const nullsLast: Sql = model.table.nullable.has(sort) ? sql` nulls last` : sql``;
  const first: Sql = sql`${model.column(sort)} ${order}${nullsLast}`;
  return sort === model.tieBreaker ? [first] : [first, sql`${model.column(model.tieBreaker)} ${order}`];
}

function fixedOrder(model: ResolvedModel, sort: Exclude<Sort, string>): Sql[] {
  const items = sort.map((item): Sql => {
    if (typeof item === 'string') return model.column(item);
    return sql`${typeof item.desc === 'string' ? model.column(item.desc) : item.desc(builder)} desc`;
  });
  return [...items, model.column(model.tieBreaker)];
}
