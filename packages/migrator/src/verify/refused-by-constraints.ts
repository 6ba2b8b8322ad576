import type { MikroORM } from '@mikro-orm/postgresql';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import { quoteIdentifier } from '../rows/row.ts';
import type { Table, TableCatalog } from '../rows/tables.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { findRowChange } from '../sql/changes-rows.ts';
import type { ObservedEffect } from './certificate.ts';
import { deleteOrphans } from './set-aside.ts';

/** The schema that has the rows, and the one that a direction makes of it. */
interface Direct {
  readonly copy: MikroORM;
  readonly migration: LoadedMigration;
  readonly direction: Direction;
  readonly tables: TableCatalog;
  readonly target: TableCatalog;
}

interface NewConstraint {
  readonly table: Table;
  readonly columns: readonly string[];
  readonly object: string;
  readonly what: string;
  /** The rows that it refuses. */
  readonly condition: string;
}

/**
 * Deletes the rows that the constraints of the next schema refuse, and returns what they are refused for: one query for each constraint.
 * None where the direction also changes rows, so that it may repair them.
 */
export async function deleteRefused({
  copy,
  migration,
  direction,
  tables,
  target,
}: Direct): Promise<ObservedEffect[]> {
  const statements = await migration.emit(direction);
  if (!statements) return [];
  for (const sql of statements) if ((await findRowChange(sql)) !== null) return [];
  const constraints = newConstraints(tables, target);
  if (constraints.length === 0) return [];
  return inTransaction(copy, async (session) => {
    await session.query('set local session_replication_role = replica');
    const effects: ObservedEffect[] = [];
    for (const one of constraints) {
      const rows = await deleteWhere(session, one);
      const { table, columns, object, what } = one;
      if (rows > 0)
        effects.push({ schema: table.schema, table: table.relation, columns, object, what, rows });
    }
    if (effects.length > 0) await deleteOrphans(session, tables);
    return effects;
  }).catch(() => []);
}

async function deleteWhere(session: Session, { table, condition }: NewConstraint): Promise<number> {
  const [row] = await session.query<{ count: string }>(
    `with gone as (delete from ${table.name} one where ${condition} returning 1) select count(*) from gone`,
  );
  return Number(row?.count ?? 0);
}

function newConstraints({ tables }: TableCatalog, target: TableCatalog): NewConstraint[] {
  return tables.flatMap((table) => {
    const next = target.tables.find(({ name }) => name === table.name);
    if (!next) return [];
    const isSame = (name: string): boolean => {
      const [one, other] = [table, next].map(({ columns }) => columns.find((column) => column.name === name));
      return one !== undefined && one.declared === other?.declared;
    };
    const own = (columns: readonly string[], what: string): Omit<NewConstraint, 'condition'> => {
      const [column] = columns;
      const object = columns.length === 1 && column !== undefined ? `${table.label}.${column}` : table.label;
      return { table, columns, object, what };
    };
    const isNew = (name: string): boolean => !table.parts.includes(name);
    return [
      ...next.columns
        .filter(
          ({ name, notNull }) =>
            notNull && isSame(name) && !table.columns.find((one) => one.name === name)?.notNull,
        )
        .map(({ name }) => ({
          ...own([name], 'NULL is not allowed'),
          condition: `${quoteIdentifier(name)} is null`,
        })),
      ...next.checks
        .filter(({ name, columns, isValidated }) => isValidated && isNew(name) && columns.every(isSame))
        .map(({ name, columns, expression }) => ({
          ...own(columns, `the constraint ${name} refuses it`),
          condition: `(${expression}) is false`,
        })),
      ...next.keys
        .filter(
          ({ name, columns, others, isPartial, isExclusion }) =>
            isNew(name) &&
            !isPartial &&
            !isExclusion &&
            others.length === 0 &&
            columns.length > 0 &&
            columns.every(isSame),
        )
        .map(({ name, columns }) => ({
          ...own(columns, `the unique index ${name} refuses duplicates`),
          condition: `exists (select from ${table.name} other where other.ctid < one.ctid and ${columns
            .map((column) => `other.${quoteIdentifier(column)} = one.${quoteIdentifier(column)}`)
            .join(' and ')})`,
        })),
      ...next.foreignKeys
        .filter(({ name, columns, isValidated }) => isValidated && isNew(name) && columns.every(isSame))
        .map(({ name, columns, target: parent, targetColumns }) => ({
          ...own(columns, `the foreign key ${name} refuses it`),
          condition: `${columns.map((column) => `one.${quoteIdentifier(column)} is not null`).join(' and ')} and not exists (select from ${parent} parent where ${columns
            .map(
              (column, index) =>
                `parent.${quoteIdentifier(targetColumns[index] ?? '')} = one.${quoteIdentifier(column)}`,
            )
            .join(' and ')})`,
        })),
    ];
  });
}
