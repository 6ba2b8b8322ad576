import { rowsMark } from '../catalog/server-guard.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import type { Session } from '../session/session.ts';
import type { Pools } from './pools.ts';
import { literal, quoteIdentifier } from './row.ts';
import { isNullable, type Table, type TableCatalog } from './tables.ts';

// A table with more was filled before.
const few = 100;

/**
 * Deletes all but the first of a few rows of each table, as far as no row refers to them, so that none of them is a duplicate for a unique
 * key that only the other side of a migration has.
 */
export async function keepFirstRows(session: Session, { tables }: TableCatalog): Promise<void> {
  for (const table of tables.toReversed()) {
    const { name } = table;
    const isFew = `(select count(*) from (select from ${name} limit ${few}) row) < ${few}`;
    // Rows of a tree refer to each other.
    for (const key of table.foreignKeys)
      if (key.target === name && isNullable(table, key)) {
        const columns = key.columns.map((column) => `${quoteIdentifier(column)} = null`).join(', ');
        await tryUpdate(session, `update ${name} set ${columns} where ${isFew}`);
      }
    const children = tables.flatMap((child) =>
      child.foreignKeys
        .filter(({ target }) => target === name)
        .map(({ columns, targetColumns }) => {
          const pairs = columns.map(
            (column, at) =>
              `child.${quoteIdentifier(column)} = one.${quoteIdentifier(targetColumns[at] ?? '')}`,
          );
          return `not exists (select from ${child.name} child where ${pairs.join(' and ')})`;
        }),
    );
    const conditions = [
      `(tableoid, ctid) <> (select tableoid, ctid from ${name} limit 1)`,
      isFew,
      ...children,
    ];
    await session.query(`${rowsMark}delete from ${name} one where ${conditions.join(' and ')}`);
  }
}

/** Gives the first rows of a table values that the checks accept which only the other side of the migration has. */
export async function meetNewChecks(
  session: Session,
  {
    table,
    other,
    pools,
  }: { readonly table: Table; readonly other: Table | undefined; readonly pools: Pools },
): Promise<void> {
  const known = new Set(table.checks.map(({ expression }) => expression));
  const added = (other?.checks ?? []).filter(({ expression }) => !known.has(expression));
  for (const { name, isGenerated } of table.columns) {
    const isChecked = added.some(({ columns }) => columns.length === 1 && columns[0] === name);
    // The first one is accepted on both sides, where one is.
    const [value] = pools.of(table, name).values;
    if (!isChecked || isGenerated || value === undefined) continue;
    await tryUpdate(session, `update ${table.name} set ${quoteIdentifier(name)} = ${literal(value)}`);
  }
}

/** Sends an update that the server may refuse. */
async function tryUpdate(session: Session, sql: string): Promise<void> {
  await session.query('savepoint migrator_first_rows');
  try {
    await session.query(rowsMark + sql);
  } catch (error) {
    if (findSqlState(error) === '') throw error;
    await session.query('rollback to savepoint migrator_first_rows');
  }
}
