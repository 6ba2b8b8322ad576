import type { EntityManager, Kysely } from '@mikro-orm/postgresql';
import type { CompiledQuery } from 'kysely';
import type { Tables } from '../../entities/tables.ts';
import { InvalidValueError } from '../../errors.ts';
import type { AnyReadModel } from './read-model.ts';
import { Parameter } from './parameter.ts';
import type { Row, Shape } from './shape.ts';
import { writeStatement } from './write-statement.ts';

// By the model that is read, and by the model of the row beside its rows: the same model without such a row.
const written = new WeakMap<AnyReadModel, WeakMap<AnyReadModel, Map<string, CompiledQuery<Row>>>>();

/** Returns the statement of a shape, written once, with the values of its parameters. */
export function statementOf(
  model: AnyReadModel,
  em: EntityManager,
  db: Kysely<Tables>,
  shape: Shape,
  values: object,
): CompiledQuery<Row> {
  const statement = formOf(model, em, db, shape);
  const parameters = statement.parameters.map((value) =>
    value instanceof Parameter ? Reflect.get(values, value.name) : value,
  );
  return { ...statement, parameters };
}

/** Returns the statement of a shape, with `Parameter`s in place of values. Writing it takes longer than PostgreSQL takes to find a row by its key. */
export function formOf(
  model: AnyReadModel,
  em: EntityManager,
  db: Kysely<Tables>,
  shape: Shape,
): CompiledQuery<Row> {
  const { kind, given, sortBy, direction, limited, deep, after, head } = shape;
  const pattern = patternOf(model, given, kind !== 'key');
  const id = `${kind} ${sortBy} ${direction} ${limited} ${deep} ${after} ${pattern.join(' ')}`;
  let byHead = written.get(model);
  if (!byHead) written.set(model, (byHead = new WeakMap()));
  let forms = byHead.get(head ?? model);
  if (!forms) byHead.set(head ?? model, (forms = new Map()));
  let form = forms.get(id);
  if (!form) forms.set(id, (form = writeStatement(model, em, shape, pattern).compile(db)));
  return form;
}

/**
 * Returns how each filter is given: `-` absent, `0` null, `=` by a value, or the name of a choice.
 *
 * @throws InvalidValueError when the owner of a list is missing, or a choice is unknown.
 */
export function patternOf(model: AnyReadModel, given: object, isList: boolean): readonly string[] {
  return model.filters.map(([name, filter]) => {
    const value: unknown = Reflect.get(given, name);
    if (typeof filter === 'object' && 'choice' in filter) {
      const names = Object.keys(filter.choice);
      const chosen = value === undefined ? names[0] : names.find((choice) => choice === value);
      if (chosen !== undefined) return chosen;
      throw new InvalidValueError(`${name} must be one of: ${names.join(', ')}`, { argument: name });
    }
    if (typeof filter === 'object' && 'owner' in filter && value == null && isList)
      throw new InvalidValueError(`${name} is missing: lists of ${model.from} need it`, { argument: name });
    return value === undefined ? '-' : value === null ? '0' : '=';
  });
}
