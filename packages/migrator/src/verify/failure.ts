import { isNativeError } from 'node:util/types';
import { literalsIn, isNode, isTree, stringOf } from '../rows/trees.ts';
import type { Table, TableCatalog } from '../rows/tables.ts';
import { describeServerError } from '../session/describe-server-error.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import { parseSql } from '../sql/parse-sql.ts';
import type { DirectionFailure } from './run-direction.ts';

/** What rows are refused for. */
export interface RefusedObject {
  readonly schema: string;
  readonly table: string;
  /** The columns that the failing constraint or statement concerns; none where they are not known. */
  readonly columns: readonly string[];
  /** Quoted as in SQL: `table`, `table.column`, or `table (constraint)`. */
  readonly object: string;
}

interface ServerFields {
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
}

/**
 * Returns what a failure is about: by the server's error, else by the failing statement. `sides` are the schemas before and after it, the
 * one that has rows first. Null where no table is known.
 */
export async function refusedObject(
  failure: DirectionFailure,
  sides: readonly TableCatalog[],
): Promise<RefusedObject | null> {
  const { table, column, constraint } = serverFields(failure.error);
  const tables = sides.flatMap((side) => side.tables);
  const named = await namedIn(failure.sql);
  const find = (name: string | undefined): Table | undefined =>
    tables.find(({ relation, parts }) => relation === name || parts.includes(name ?? ''));
  const owner = find(table) ?? named.tables.map(find).find((one) => one !== undefined);
  if (!owner) return null;
  const columnsOfConstraint = tables
    .filter(({ relation }) => relation === owner.relation)
    .flatMap(({ checks, keys, foreignKeys }) => [...checks, ...keys, ...foreignKeys])
    .find(({ name }) => name === constraint)?.columns;
  const columns = column === undefined ? (columnsOfConstraint ?? named.columns) : [column];
  const own = columns.filter((name) =>
    tables.some((one) => one.relation === owner.relation && one.columns.some((of) => of.name === name)),
  );
  return {
    schema: owner.schema,
    table: owner.relation,
    columns: own,
    object: labelOf(owner, own, constraint),
  };
}

function labelOf(
  { label }: Table,
  [first, ...more]: readonly string[],
  constraint: string | undefined,
): string {
  if (first !== undefined && more.length === 0) return `${label}.${first}`;
  return constraint === undefined ? label : `${label} (${constraint})`;
}

/** Returns the message of a failure without values of rows. */
export function describeDirectionFailure({ error, sql }: DirectionFailure): string {
  const statement = sql.replaceAll(/\s+/g, ' ').trim();
  const at =
    statement === '' ? '' : ` at "${statement.length > 80 ? `${statement.slice(0, 80)}…` : statement}"`;
  return `${describeServerError(error, [sql])}${at}`;
}

/** Whether a failure may be due to rows: their values, their keys, or a check of code. */
export function isAboutRows({ error }: DirectionFailure): boolean {
  return /^(?:2[23]|P0|44|54|40001)/.test(findSqlState(error));
}

/** Returns what distinguishes a failure from others of the same statement. */
export function identify({ error }: DirectionFailure): { readonly state: string; readonly name: string } {
  const { column, constraint } = serverFields(error);
  return { state: findSqlState(error), name: constraint ?? column ?? '' };
}

function serverFields(error: unknown): ServerFields {
  if (!isNativeError(error)) return { table: undefined, column: undefined, constraint: undefined };
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const own = { table: text('table'), column: text('column'), constraint: text('constraint') };
  return own.table === undefined && error.cause !== undefined ? serverFields(error.cause) : own;
}

/** Returns the columns that an expression names. */
function columnsIn(tree: unknown): string[] {
  if (!isTree(tree)) return [];
  if (!Array.isArray(tree) && isNode(tree, 'ColumnRef')) {
    const { fields } = tree.ColumnRef;
    const last: unknown = Array.isArray(fields) ? fields.at(-1) : undefined;
    return isTree(last) && !Array.isArray(last) && isNode(last, 'String')
      ? [stringOf(last.String['sval']) ?? '']
      : [];
  }
  return [...new Set(Object.values(tree).flatMap(columnsIn))];
}

/** Returns the tables and columns that a statement names. */
export async function namedIn(
  sql: string,
): Promise<{ readonly tables: readonly string[]; readonly columns: readonly string[] }> {
  const tables: string[] = [];
  const columns: string[] = [];
  const visit = (tree: unknown): void => {
    if (!isTree(tree)) return;
    if (Array.isArray(tree)) return tree.forEach(visit);
    if (typeof tree['relname'] === 'string') tables.push(tree['relname']);
    if (isNode(tree, 'AlterTableCmd')) columns.push(stringOf(tree.AlterTableCmd['name']) ?? '');
    if (isNode(tree, 'ColumnDef')) columns.push(stringOf(tree.ColumnDef['colname']) ?? '');
    // PostgreSQL names no column where the expression of a check fails.
    if (isNode(tree, 'Constraint'))
      for (const name of columnsIn(tree.Constraint['raw_expr'])) columns.push(name);
    if (isNode(tree, 'UpdateStmt')) {
      const { targetList } = tree.UpdateStmt;
      for (const target of Array.isArray(targetList) ? targetList : [])
        if (isNode(target, 'ResTarget')) columns.push(stringOf(target.ResTarget['name']) ?? '');
    }
    Object.values(tree).forEach(visit);
  };
  for (const { node } of (await parseSql(sql)) ?? []) {
    visit(node);
    // A block of code names its tables in a text.
    if (isNode(node, 'DoStmt'))
      for (const { text } of literalsIn(node)) tables.push(...text.split(/[^\w$]+/));
  }
  return { tables, columns: columns.filter((name) => name !== '') };
}
