import type { EntityManager } from '@mikro-orm/postgresql';
import { sql, type Expression, type RawBuilder } from 'kysely';
import { builder } from './builder.ts';
import type { AnyReadModel } from './read-model.ts';
import type { Row } from './shape.ts';
import { factsOf, type ExactForm } from './table-facts.ts';

type ExactProperty = readonly [property: string, form: ExactForm, column: string];

/** The properties of a read model whose columns are sent in an exact form. */
interface ExactProperties {
  /** Those that can be null, each sent for itself. */
  readonly nullable: readonly ExactProperty[];
  /** The others: the first is sent with the digits of all, the rest as null. A value that is sent costs more than its bytes. */
  readonly joined: readonly ExactProperty[];
}

/** Returns what is selected from a source under the table's name: each property under its name, after `prefix`. */
export function selectionOf(model: AnyReadModel, em: EntityManager, prefix = ''): Expression<Row> {
  const { joined } = exactOf(model, em);
  return sql.join(
    Object.entries(model.select).map(([property, column]) => {
      const place = joined.findIndex(([name]) => name === property);
      const value =
        typeof column !== 'string'
          ? column(builder)
          : place < 0
            ? columnSql(model, em, column)
            : place === 0
              ? hexOf(model, joined)
              : sql`null`;
      return sql`${value} as ${sql.id(prefix + property)}`;
    }),
  );
}

/** Returns a column in a form that no setting of the session changes. */
export function columnSql(model: AnyReadModel, em: EntityManager, column: string): RawBuilder<unknown> {
  const form = factsOf(em, model.from).exact.get(column);
  return form ? hexOf(model, [[column, form, column]]) : sql.ref(`${model.from}.${column}`);
}

function hexOf({ from }: AnyReadModel, properties: readonly ExactProperty[]): RawBuilder<unknown> {
  const sent = properties.map(([, { send }, column]) => `${send}("${from}"."${column}")`);
  return sql.raw(`encode(${sent.join(' || ')}, 'hex')`);
}

/** Returns what is shown of a row that was selected by `selectionOf`. The row itself is changed: a copy of each costs as much as reading it. */
export function shownRow(model: AnyReadModel, em: EntityManager, row: Row): unknown {
  const { nullable, joined } = exactOf(model, em);
  for (const [property, { show }] of nullable) {
    const hex = row[property];
    if (typeof hex === 'string') row[property] = show(hex);
  }
  const [first] = joined;
  const hexOfAll = first && row[first[0]];
  if (typeof hexOfAll === 'string') {
    let start = 0;
    for (const [property, { show }] of joined) {
      row[property] = show(hexOfAll, start);
      start += 16;
    }
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

const known = new WeakMap<AnyReadModel, ExactProperties>();

function exactOf(model: AnyReadModel, em: EntityManager): ExactProperties {
  let exact = known.get(model);
  if (!exact) known.set(model, (exact = exactPropertiesOf(model, em)));
  return exact;
}

function exactPropertiesOf(model: AnyReadModel, em: EntityManager): ExactProperties {
  const facts = factsOf(em, model.from);
  const properties = Object.entries(model.select).flatMap(([property, column]) => {
    const form = typeof column === 'string' ? facts.exact.get(column) : undefined;
    return typeof column === 'string' && form ? [[property, form, column] as const] : [];
  });
  const [nullable = [], joined = []] = [true, false].map((is) =>
    properties.filter(([, , column]) => facts.nullable.has(column) === is),
  );
  return { nullable, joined };
}
