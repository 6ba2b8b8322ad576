import { sql, type Expression } from 'kysely';
import { builder } from './builder.ts';
import { Parameter } from './parameter.ts';
import type { AnyReadModel } from './read-model.ts';

/** Returns the conditions of a model's filters, each given as `pattern` says. */
export function conditionsOf(
  model: AnyReadModel,
  pattern: readonly string[],
): readonly Expression<unknown>[] {
  return model.filters.flatMap(([name, filter], index) => {
    const how = pattern[index] ?? '-';
    if (typeof filter === 'object' && 'choice' in filter) return filter.choice[how]?.(builder) ?? [];
    if (how === '-') return [];
    const value = how === '0' ? null : new Parameter(name);
    if (typeof filter === 'object' && 'where' in filter) return filter.where(builder, value);
    const column = sql.ref(`${model.from}.${typeof filter === 'string' ? filter : filter.owner}`);
    return value === null ? sql`${column} is null` : sql`${column} = ${value}`;
  });
}
