import type { EntityManager } from '@mikro-orm/postgresql';
import { sql, type Expression, type RawBuilder } from 'kysely';
import { builder } from './builder.ts';
import type { AnyReadModel } from './read-model.ts';
import type { Row } from './shape.ts';
import { factsOf, type ExactForm } from './table-facts.ts';

/** Returns what is selected from a source under the table's name: each property under its name, after `prefix`. */
export function selectionOf(model: AnyReadModel, em: EntityManager, prefix = ''): Expression<Row> {
  return sql.join(
    Object.entries(model.select).map(([property, column]) => {
      const value = typeof column === 'string' ? columnSql(model, em, column) : column(builder);
      return sql`${value} as ${sql.id(prefix + property)}`;
    }),
  );
}

/** Returns a column in a form that no setting of the session changes. */
export function columnSql({ from }: AnyReadModel, em: EntityManager, column: string): RawBuilder<unknown> {
  const exact = factsOf(em, from).exact.get(column);
  return exact ? sql.raw(exact.sql(`"${from}"."${column}"`)) : sql.ref(`${from}.${column}`);
}

const exactProperties = new WeakMap<AnyReadModel, readonly (readonly [string, ExactForm['show']])[]>();

/** Returns what is shown of a row that was selected by `selectionOf`. The row itself is changed: a copy of each costs as much as reading it. */
export function shownRow(model: AnyReadModel, em: EntityManager, row: Row): unknown {
  let exact = exactProperties.get(model);
  if (!exact) exactProperties.set(model, (exact = exactPropertiesOf(model, em)));
  for (const [property, show] of exact) {
    const value = row[property];
    if (typeof value === 'string') row[property] = show(value);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the row that it was declared for
  return model.map ? model.map(row as never) : row;
}

/** Returns what is shown of a row that has other columns besides those of the selection, which are named with `prefix`. */
export function shownPart(model: AnyReadModel, em: EntityManager, row: Row, prefix = ''): unknown {
  const part: Row = {};
  for (const property in model.select) part[property] = row[prefix + property];
  return shownRow(model, em, part);
}

function exactPropertiesOf(model: AnyReadModel, em: EntityManager) {
  const { exact } = factsOf(em, model.from);
  return Object.entries(model.select).flatMap(([property, column]) => {
    const form = typeof column === 'string' ? exact.get(column) : undefined;
    return form ? [[property, form.show] as const] : [];
  });
}
