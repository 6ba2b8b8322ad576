import type { MikroORM } from '@mikro-orm/postgresql';
import { rowsMark } from '../catalog/server-guard.ts';
import { fillTables } from '../rows/fill.ts';
import { keepFirstRows } from '../rows/first-rows.ts';
import type { Harvest } from '../rows/harvest.ts';
import { multiplyRows, withKeysOf, type FilledTable } from '../rows/multiply.ts';
import { keysOfReferences } from '../rows/numbered-parents.ts';
import { Pools, type LearnedValues } from '../rows/pools.ts';
import type { RowValues } from '../rows/row.ts';
import { createFunctions } from '../rows/server-functions.ts';
import type { ColumnShape } from '../rows/shaped-value.ts';
import type { Column, Table, TableCatalog } from '../rows/tables.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';

/** How many rows tables get, and of what shape. */
export interface TableSizes {
  /** The tables that get many, by their quoted names. The others get a few. */
  readonly touched: ReadonlySet<string>;
  readonly rowsOf: (table: Table) => number;
  /** The shape of a column; null for values that repeat. */
  readonly shapeOf: (table: Table, column: Column) => ColumnShape | null;
  /** How full the pages of a table are, in per cent; null, or absent, for full. */
  readonly fillFactorOf?: (table: Table) => number | null;
  /** Whether values of foreign keys have the shape of their column, where the role may write rows whose parents do not exist. */
  readonly skipsReferences?: boolean;
}

/** What a database is filled with. */
export interface SizedFilling {
  readonly tables: TableCatalog;
  /** The schema on the other side of the migration. */
  readonly other: TableCatalog;
  readonly harvest: Harvest;
  readonly learned: LearnedValues;
  readonly templates: Map<string, RowValues>;
  readonly sizes: TableSizes;
}

// Beyond the numbers that another filling of the same database uses.
const firstRow = 2_500;

/**
 * Fills the tables of a scratch database with generated rows, and vacuums and analyzes those that get many. Tables that have their size
 * already, as after another filling, get no more.
 */
export async function fillToSize(
  copy: MikroORM,
  { tables, other, harvest, learned, templates, sizes }: SizedFilling,
): Promise<FilledTable[]> {
  const touched = tables.tables.filter(({ name }) => sizes.touched.has(name));
  const filled = await inTransaction(copy, async (session) => {
    await createFunctions(session);
    const pools = await Pools.learn(session, { tables, other, harvest, learned });
    const filling = { tables, pools, harvest, touched: new Set<string>(), templates };
    await fillTables(session, filling, 'plain', firstRow);
    const isReplica = await withoutTriggers(session);
    await keepFirstRows(session, tables);
    const report: FilledTable[] = [];
    for (const [table, rows] of sizesOf(tables, { other, pools, sizes })) {
      const isTouched = sizes.touched.has(table.name);
      const leaves = await leavesOf(session, table);
      // It would hold locks, and take time, whenever it happens to run.
      await alter(session, leaves, 'set (autovacuum_enabled = false)');
      const fillFactor = isTouched ? (sizes.fillFactorOf?.(table) ?? null) : null;
      if (fillFactor !== null) await alter(session, leaves, `set (fillfactor = ${fillFactor})`);
      const same = other.tables.find(({ label }) => label === table.label);
      const shapes = new Map(
        table.columns.flatMap((column) => {
          const shape = isTouched ? sizes.shapeOf(table, column) : null;
          return shape ? [[column.name, shape] as const] : [];
        }),
      );
      const skipsReferences = isReplica && sizes.skipsReferences === true;
      const work = { table, tables, other: same, otherTables: other, pools, shapes, skipsReferences };
      const result = await multiplyRows(session, { ...work, rows });
      if (isTouched) report.push(result);
      // It is for the rows that exist, not for those that the migration writes.
      if (fillFactor !== null) await alter(session, leaves, 'reset (fillfactor)');
    }
    return report;
  });
  for (const { name } of touched) await poolSession(copy).query(`vacuum analyze ${name}`);
  return filled;
}

// The first rows of a table have parents already.
const spare = 8;

/** Returns how many rows each table gets: those that are touched, and parents without which their unique keys allow few. Parents come first. */
function sizesOf(
  { tables }: TableCatalog,
  {
    other,
    pools,
    sizes,
  }: { readonly other: TableCatalog; readonly pools: Pools; readonly sizes: TableSizes },
): (readonly [Table, number])[] {
  const { touched, rowsOf } = sizes;
  const rows = new Map(
    tables.filter(({ name }) => touched.has(name)).map((table) => [table.name, rowsOf(table)]),
  );
  for (const table of tables.toReversed()) {
    const needed = rows.get(table.name);
    if (needed === undefined) continue;
    const same = other.tables.find(({ label }) => label === table.label);
    for (const { target } of keysOfReferences(withKeysOf(table, same), pools).flat())
      rows.set(target, Math.max(rows.get(target) ?? 0, needed + spare));
  }
  return tables.flatMap((table) => {
    const count = rows.get(table.name);
    return count === undefined ? [] : [[table, count] as const];
  });
}

/** Skips triggers and foreign keys in the transaction. Returns false for a role that may not. */
async function withoutTriggers(session: Session): Promise<boolean> {
  await session.query('savepoint migrator_replica');
  try {
    await session.query('set local session_replication_role = replica');
    return true;
  } catch (error) {
    if (findSqlState(error) === '') throw error;
    await session.query('rollback to savepoint migrator_replica');
    return false;
  }
}

/** Returns the quoted names of the tables that hold the rows of a table: its partitions, or the table itself. */
async function leavesOf(session: Session, { name }: Table): Promise<string[]> {
  const leaves = await session.query<{ leaf: string }>(
    `${rowsMark}select relid::text as leaf from pg_partition_tree($1::regclass) where isleaf
     union select $1::text from pg_class where oid = $1::regclass and relkind = 'r'`,
    [name],
  );
  return leaves.map(({ leaf }) => leaf);
}

async function alter(session: Session, tables: readonly string[], action: string): Promise<void> {
  for (const table of tables) await session.query(`${rowsMark}alter table ${table} ${action}`);
}
