import { sql, type Expression } from 'kysely';
import { InvalidValueError } from '../../errors.ts';
import { builder } from './builder.ts';
import { Parameter } from './parameter.ts';
import { containsText, type TextCollation } from './contains-text.ts';
import type { AnyReadModel } from './read-model.ts';

/**
 * Returns the state of each filter: `-` absent, `0` null, `=` a value, or the name of a choice. A statement depends on the states alone, not
 * on the values.
 *
 * @throws InvalidValueError when a list has no value for its parent, or a choice is unknown.
 */
export function filterStates(model: AnyReadModel, values: object, isList: boolean): readonly string[] {
  return model.filters.map(([name, filter]) => {
    const value: unknown = Reflect.get(values, name);
    if (typeof filter === 'object' && 'choice' in filter) {
      const names = Object.keys(filter.choice);
      const chosen = value === undefined ? names[0] : names.find((choice) => choice === value);
      if (chosen !== undefined) return chosen;
      throw new InvalidValueError(`${name} must be one of: ${names.join(', ')}`, { argument: name });
    }
    if (typeof filter === 'object' && 'parent' in filter && value == null && isList)
      throw new InvalidValueError(`${name} is missing: lists of ${model.from} need it`, { argument: name });
    return value === undefined ? '-' : value === null ? '0' : '=';
  });
}

/** Returns whether a model has a filter by a contained text in these states. */
export function searchesText(model: AnyReadModel, states: readonly string[]): boolean {
  return model.filters.some(
    ([, filter], index) => typeof filter === 'object' && 'text' in filter && states[index] === '=',
  );
}

/** Returns the conditions of a model's filters in these states. Texts are compared by `collation`. */
export function conditionsOf(
  model: AnyReadModel,
  states: readonly string[],
  collation: TextCollation,
): readonly Expression<unknown>[] {
  return model.filters.flatMap(([name, filter], index) => {
    const state = states[index] ?? '-';
    if (typeof filter === 'object' && 'choice' in filter) return filter.choice[state]?.(builder) ?? [];
    if (state === '-') return [];
    const value = state === '0' ? null : new Parameter(name);
    if (typeof filter === 'object' && 'text' in filter)
      return containsText(
        filter.text.map((column) => sql.ref(`${model.from}.${column}`)),
        new Parameter(name),
        collation,
      );
    if (typeof filter === 'object' && 'where' in filter) return filter.where(builder, value);
    const column = sql.ref(`${model.from}.${typeof filter === 'string' ? filter : filter.parent}`);
    return value === null ? sql`${column} is null` : sql`${column} = ${value}`;
  });
}
