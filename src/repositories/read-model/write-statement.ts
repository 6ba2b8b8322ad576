import type { EntityManager } from '@mikro-orm/postgresql';
import { sql, type Expression, type RawBuilder } from 'kysely';
import { builder } from './builder.ts';
import { conditionsOf } from './conditions.ts';
import { Parameter } from './parameter.ts';
import type { AnyReadModel } from './read-model.ts';
import { columnSql, selectionOf } from './selection.ts';
import type { Row, Shape } from './shape.ts';
import { factsOf } from './table-facts.ts';

type Sql = RawBuilder<Row>;

const nothing: Sql = sql``;
const limit: Sql = sql` limit ${new Parameter('$limit')}`;
const offset: Sql = sql` offset ${new Parameter('$offset')}`;

/**
 * Writes a statement of a read model. Rows are found first, by conditions, order and limit alone: what is shown is then computed for
 * those rows only.
 */
export function writeStatement(
  model: AnyReadModel,
  em: EntityManager,
  shape: Shape,
  pattern: readonly string[],
): Sql {
  const { kind, sortBy = '', direction = model.direction, head } = shape;
  const { key, nullable } = factsOf(em, model.from);
  const tie = model.tie ?? key;
  const sort = model.sorts[sortBy] ?? tie;
  const table = sql.table(model.from);
  const column = (name: string): Sql => sql.ref(`${model.from}.${name}`);
  const conditions = conditionsOf(model, pattern);
  const shown = selectionOf(model, em);
  const order: Sql = sql` order by ${sql.join(typeof sort === 'string' ? sorted(sort) : listed(sort))}`;

  const statements: Readonly<Record<Shape['kind'], () => Sql>> = {
    key: () => sql`select ${shown} from ${table}${where(sql`${column(key)} = ${new Parameter('$key')}`)}`,
    count: total,
    list: () => sql`select ${shown} from ${table}${where()}${order}${shape.limited ? limit : nothing}`,
    page: () =>
      beside(
        parentRow(sql`(${total()}) as "$total"`) ?? total(),
        sql`select ${shown} from (${pageRows()}) as ${table}${order}`,
      ),
    scroll: () => {
      if (typeof sort !== 'string') throw new Error(`${model.from} has no cursors in the order ${sortBy}`);
      const place = sql`${columnSql(model, em, sort)} as "$at", ${columnSql(model, em, tie)} as "$tie"`;
      const rows: Sql = sql`select ${shown}, ${place} from (${rowsAfter(sort)}) as ${table}${order}`;
      const row = head
        ? rowByKey(em, head.from, selectionOf(head, em, '$'), '$head')
        : parentRow(sql`true as "$parent"`);
      return row ? beside(row, rows) : rows;
    },
  };
  return statements[kind]();

  function where(...more: readonly Expression<unknown>[]): Sql {
    const all = [...conditions, ...more];
    return all.length === 0 ? nothing : sql` where ${sql.join(all, sql` and `)}`;
  }

  function sorted(by: string): Sql[] {
    const way = sql.raw(direction);
    // Nulls last where there can be some; elsewhere it would keep the planner off the index.
    const first: Sql = sql`${column(by)} ${way}${nullable.has(by) ? sql` nulls last` : nothing}`;
    return by === tie ? [first] : [first, sql`${column(tie)} ${way}`];
  }

  function listed(items: Exclude<AnyReadModel['sorts'][string], string>): Sql[] {
    const written = items.map((item): Sql => {
      if (typeof item === 'string') return column(item);
      return sql`${typeof item.desc === 'string' ? column(item.desc) : item.desc(builder)} desc`;
    });
    return [...written, column(tie)];
  }

  function total(): Sql {
    return sql`select count(*) as "$total" from ${table}${where()}`;
  }

  function pageRows(): Sql {
    if (!shape.deep) return sql`select ${table}.* from ${table}${where()}${order}${limit}${offset}`;
    const keys = sql`select ${column(key)} from ${table}${where()}${order}${limit}${offset}`;
    return sql`select ${table}.* from ${table} where ${column(key)} in (${keys})`;
  }

  function rowsAfter(by: string): Sql {
    const rows = (...more: readonly Sql[]): Sql =>
      sql`select ${table}.* from ${table}${where(...more)}${order}${limit}`;
    if (shape.after === undefined) return rows();
    const behind = sql.raw(direction === 'asc' ? '>' : '<');
    const [at, tied] = [new Parameter('$at'), new Parameter('$tie')];
    const afterTie: Sql = sql`${column(tie)} ${behind} ${tied}`;
    const isNull: Sql = sql`${column(by)} is null`;
    if (shape.after === 'null') return rows(isNull, afterTie);
    if (by === tie) return rows(afterTie);
    const values = rows(sql`(${column(by)}, ${column(tie)}) ${behind} (${at}, ${tied})`);
    if (!nullable.has(by)) return values;
    // An index finds each part, but not both by one condition with `or`.
    const parts = sql`(${values}) union all (${rows(isNull)})`;
    return sql`select ${table}.* from (${parts}) as ${table}${order}${limit}`;
  }

  function parentRow(selected: Expression<unknown>): Sql | undefined {
    return model.parent && rowByKey(em, model.parent.table, selected, model.parent.filter);
  }
}

function rowByKey(em: EntityManager, table: string, selected: Expression<unknown>, key: string): Sql {
  const column = sql.ref(`${table}.${factsOf(em, table).key}`);
  return sql`select ${selected} from ${sql.table(table)} where ${column} = ${new Parameter(key)}`;
}

// One row on the left keeps the order of the right: only a nested loop can join them.
function beside(row: Sql, rows: Sql): Sql {
  const present = sql`select true as "$present", body.* from (${rows}) as body`;
  return sql`select * from (${row}) as head left join lateral (${present}) as body on true`;
}
