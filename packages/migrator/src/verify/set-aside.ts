import type { MikroORM } from '@mikro-orm/postgresql';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import { quoteIdentifier } from '../rows/row.ts';
import type { Table, TableCatalog } from '../rows/tables.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { identify, namedIn, refusedObject } from './failure.ts';
import { tryDirection, type DirectionFailure } from './run-direction.ts';

/** A direction of a migration that rows make fail. */
export interface FailingDirection {
  readonly copy: MikroORM;
  readonly migration: LoadedMigration;
  readonly direction: Direction;
  /** The tables that have the rows. */
  readonly tables: TableCatalog;
  readonly failure: DirectionFailure;
}

/** Rows that were deleted from a copy, so that the direction can be run on the others. */
export interface SetAside {
  /** The label of the table. */
  readonly table: string;
  /** How single rows fail, and how many of them in the same way: the first failure is among them. */
  readonly failures: readonly { readonly failure: DirectionFailure; readonly rows: number }[];
}

// A failure that needs more trials than these loses the rows that were not tried.
const maxTrials = 48;

/**
 * Deletes the rows that make a direction fail, and those that refer to them. Finds them by trials in transactions that are rolled back.
 * Returns null where it can't: outside transactions, without the right to set `session_replication_role`, or when no table's rows are the
 * cause.
 */
export async function setRowsAside(failing: FailingDirection): Promise<SetAside | null> {
  const { copy, migration, tables } = failing;
  if (!migration.transactional) return null;
  const table = await culpritOf(failing);
  if (!table) return null;
  const ids = await inTransaction(copy, (session) => idsOf(session, table));
  if (ids.length === 0) return null;
  let trials = 0;
  const kept: string[] = [];
  const failures = new Map<string, { failure: DirectionFailure; rows: number }>();
  const record = (failure: DirectionFailure, rows: number): void => {
    const { state, name } = identify(failure);
    const known = failures.get(`${state} ${name}`);
    failures.set(`${state} ${name}`, { failure: known?.failure ?? failure, rows: rows + (known?.rows ?? 0) });
  };
  const keepWhatSucceeds = async (some: readonly string[]): Promise<void> => {
    if (some.length === 0) return;
    if (trials++ >= maxTrials) return record(failing.failure, some.length);
    const failure = await failureWith(failing, table, [...kept, ...some]);
    if (failure?.sql !== failing.failure.sql) {
      kept.push(...some);
      return;
    }
    if (some.length === 1) return record(failure, 1);
    const middle = Math.ceil(some.length / 2);
    await keepWhatSucceeds(some.slice(0, middle));
    await keepWhatSucceeds(some.slice(middle));
  };
  await keepWhatSucceeds(ids);
  if (failures.size === 0) return null;
  await inTransaction(copy, (session) => keepOnly(session, tables, table, kept));
  return { table: table.label, failures: [...failures.values()] };
}

/** Returns the table without whose rows the direction does not fail in the same way. */
async function culpritOf(failing: FailingDirection): Promise<Table | null> {
  const { tables, failure } = failing;
  const object = await refusedObject(failure, [tables]);
  const { tables: named } = await namedIn(failure.sql);
  const rank = ({ relation }: Table): number =>
    relation === object?.table ? 0 : named.includes(relation) ? 1 : 2;
  // Children first: without its parents, a child would be empty too.
  const candidates = tables.tables.toReversed().toSorted((a, b) => rank(a) - rank(b));
  for (const table of candidates.slice(0, 12)) if (await tryWith(failing, table, [])) return table;
  return null;
}

/** Whether the direction gets past the failure with these rows of a table alone. */
async function tryWith(failing: FailingDirection, table: Table, ids: readonly string[]): Promise<boolean> {
  const found = await failureWith(failing, table, ids);
  if (!found) return true;
  const [one, other] = [identify(found), identify(failing.failure)];
  // Without the right to set `session_replication_role`, nothing was tried.
  return one.state !== '42501' && (found.sql !== failing.failure.sql || one.state !== other.state);
}

/** Returns how the direction fails with these rows of a table alone; null when it succeeds. */
function failureWith(
  { copy, migration, direction, tables }: FailingDirection,
  table: Table,
  ids: readonly string[],
): Promise<DirectionFailure | null> {
  return tryDirection(copy, migration, direction, (session) => keepOnly(session, tables, table, ids));
}

const id = `tableoid::text || ' ' || ctid::text`;

async function idsOf(session: Session, { name }: Table): Promise<string[]> {
  const rows = await session.query<{ id: string }>(`select ${id} as id from ${name} order by tableoid, ctid`);
  return rows.map((row) => row.id);
}

/** Deletes the other rows of a table, and the rows that refer to them, without its triggers and keys. */
async function keepOnly(
  session: Session,
  { tables }: TableCatalog,
  table: Table,
  ids: readonly string[],
): Promise<void> {
  await session.query(`set local session_replication_role = replica`);
  await session.query(`delete from ${table.name} where not (${id} = any($1))`, [ids]);
  await deleteOrphans(session, { tables });
  await session.query(`set local session_replication_role = origin`);
}

/** Deletes the rows whose parents are gone, while no trigger fires. */
export async function deleteOrphans(
  session: Session,
  { tables }: Pick<TableCatalog, 'tables'>,
): Promise<void> {
  for (let round = 0; round < 6; round++) {
    const deletions = tables.flatMap((child) =>
      child.foreignKeys.map(({ columns, target, targetColumns }) => {
        const pairs = columns.map(
          (column, index) =>
            `parent.${quoteIdentifier(targetColumns[index] ?? '')} = child.${quoteIdentifier(column)}`,
        );
        const isSet = columns.map((column) => `child.${quoteIdentifier(column)} is not null`);
        return `delete from ${child.name} child where ${isSet.join(' and ')} and not exists (select from ${target} parent where ${pairs.join(' and ')})`;
      }),
    );
    if (deletions.length === 0) break;
    const [row] = await session.query<{ deleted: string }>(
      `with ${deletions.map((sql, index) => `deleted_${index} as (${sql} returning 1)`).join(', ')}
       select ${deletions.map((_, index) => `(select count(*) from deleted_${index})`).join(' + ')} as deleted`,
    );
    if (Number(row?.deleted ?? 0) === 0) break;
  }
}
