import { sql, type Expression } from 'kysely';
import { Parameter } from './parameter.ts';
import type { ResolvedModel } from './resolved-model.ts';
import { RowSource } from './row-source.ts';
import type { Sql } from './row.ts';
import type { StatementSpec } from './statement-spec.ts';
import type { TableMetadata } from './table-metadata.ts';

/**
 * Builds a statement of a read model. Pages find their rows first, by filters, order and limit alone: expressions are then computed for
 * those rows only.
 */
export function buildStatement(model: ResolvedModel, spec: StatementSpec, states: readonly string[]): Sql {
  const source = new RowSource(model, spec, states);
  switch (spec.kind) {
    case 'key':
      return keyStatement(model, source);
    case 'count':
      return source.count();
    case 'estimate':
      return source.estimate();
    case 'list':
      return sql`select ${model.selection()} from ${source.list()}`;
    case 'page':
      return pageStatement(model, source, spec);
    case 'scroll':
      return cursorPageStatement(model, source, spec);
    default:
      return spec.kind satisfies never;
  }
}

function keyStatement(model: ResolvedModel, source: RowSource): Sql {
  const isKey = sql`${model.column(model.table.key)} = ${new Parameter('$key')}`;
  return sql`select ${model.selection()} from ${source.table}${source.where(isKey)}`;
}

function pageStatement(model: ResolvedModel, source: RowSource, { counted = false }: StatementSpec): Sql {
  const { table, orderBy } = source;
  const rows: Sql = sql`select ${model.selection()} from (${source.page()}) as ${table}${orderBy}`;
  const row = counted
    ? (parentRow(model, sql`(${source.count()}) as "$total"`) ?? source.count())
    : parentRow(model, sql`true as "$parent"`);
  return row ? besideRow(row, rows) : rows;
}

function cursorPageStatement(
  model: ResolvedModel,
  source: RowSource,
  { sortBy = '', head }: StatementSpec,
): Sql {
  const sort = model.model.sorts[sortBy] ?? model.tieBreaker;
  if (typeof sort !== 'string') throw new Error(`${model.table.name} has no cursors in the order ${sortBy}`);
  const position = sql`${model.exactColumn(sort)} as "$at", ${model.exactColumn(model.tieBreaker)} as "$tie"`;
  const { table, orderBy } = source;
  const rows: Sql = sql`select ${model.selection()}, ${position} from (${source.cursorPage(sort)}) as ${table}${orderBy}`;
  const row = head
    ? rowByKey(head.table, head.selection('$'), '$head')
    : parentRow(model, sql`true as "$parent"`);
  return row ? besideRow(row, rows) : rows;
}

function parentRow({ parent }: ResolvedModel, selected: Expression<unknown>): Sql | undefined {
  return parent && rowByKey(parent.table, selected, parent.filter);
}

function rowByKey({ name, key }: TableMetadata, selected: Expression<unknown>, parameter: string): Sql {
  const isKey = sql`${sql.ref(`${name}.${key}`)} = ${new Parameter(parameter)}`;
  return sql`select ${selected} from ${sql.table(name)} where ${isKey}`;
}

/** Returns `row` joined with each of `rows`, and alone without any. A single row keeps their order: only a nested loop can join them. */
function besideRow(row: Sql, rows: Sql): Sql {
  const present = sql`select true as "$present", body.* from (${rows}) as body`;
  // With `offset`, what the row shows is computed once. PostgreSQL would move it to the joined rows, and compute it for each.
  return sql`select * from (${row} offset 0) as head left join lateral (${present}) as body on true`;
}
