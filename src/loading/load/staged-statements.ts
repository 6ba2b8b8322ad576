import { escapeLiteral } from 'pg';
import type { LoadMode } from './load-options.ts';
import type { LoadColumn, LoadTarget } from './load-target.ts';
import type { RowEncoder } from './row-encoder.ts';
import { columnList, columnName, columnsEqual } from './column-sql.ts';
import type { LoadStaging } from './load-staging.ts';

/** The modes that copy rows into a temporary table first. */
export type StagedMode = Exclude<LoadMode, 'append'>;

/** What the statements of a load are built from. */
export interface StagedLoad {
  readonly target: LoadTarget;
  readonly staging: LoadStaging;
  readonly key: readonly LoadColumn[];
  /** What the rows are selected from: the temporary table, or the last row of each key in it. */
  readonly incoming: string;
  readonly encoder: RowEncoder;
}

/**
 * Returns the statements that write the staged rows into their table, in the order in which they run. A statement that writes returns one
 * row of counts: `inserted`, `updated`, `deleted`.
 */
export function stagedStatements(mode: StagedMode, load: StagedLoad): string[] {
  return statements[mode](load);
}

const statements: Readonly<Record<StagedMode, (load: StagedLoad) => string[]>> = {
  upsert: (load) => [...indexForUpsert(load), upsert(load)],
  delete_insert: (load) => [lockForReplacing(load), deleteByKey(load), insertAll(load)],
  insert_missing: (load) => [insertMissing(load)],
  fill_null: (load) => [fillNull(load)],
};

// Each statement visits rows in the order of their keys: two loads of the same keys wait for each other and don't deadlock.

/** Inserts the rows whose key does not exist. */
function insertMissing({ staging, key, incoming }: StagedLoad): string {
  return withCounts(
    `inserted as (insert into ${staging.targetTable} (${staging.columns().join(', ')}) select ${staging.columns().join(', ')} from ${incoming} incoming order by ${columnList(key)} on conflict (${columnList(key)}) do nothing returning 1)`,
    { inserted: 'inserted' },
  );
}

/** Inserts the rows whose key does not exist, and updates the others where they differ. An existing row keeps its primary key. */
function upsert(load: StagedLoad): string {
  const { target, staging, key, incoming } = load;
  const changed = updatableColumns(load);
  if (changed.length === 0) return insertMissing(load);
  const set = changed.map((column) => `${columnName(column)} = ${newValue(load, column)}`);
  if (target.version)
    set.push(`${columnName(target.version)} = ${columnName(target.version, 'present')} + 1`);
  return withCounts(
    `written as (insert into ${staging.targetTable} as present (${staging.columns().join(', ')}) select ${staging.columns().join(', ')} from ${incoming} incoming order by ${columnList(key)} ` +
      `on conflict (${columnList(key)}) do update set ${set.join(', ')} ` +
      `where (${columnList(changed, 'present')}) is distinct from (${changed.map((column) => newValue(load, column)).join(', ')}) ` +
      // Only an existing row has been locked.
      `returning xmax = 0 as is_new)`,
    { inserted: 'written where is_new', updated: 'written where not is_new' },
  );
}

/** Creates the index that `upsert` looks rows up by, when some rows give a property that others leave out. */
function indexForUpsert(load: StagedLoad): string[] {
  const { staging, key, encoder } = load;
  const uneven = updatableColumns(load).some((column) => encoder.shapesWith(column) !== 'all');
  return uneven ? [`create index on ${staging.table} (${columnList(key)}, ${staging.rowNumber})`] : [];
}

/** Updates existing rows where they hold NULL. */
function fillNull(load: StagedLoad): string {
  const { target, staging, key, incoming } = load;
  const filled = updatableColumns(load).filter(({ nullable }) => nullable);
  const fits = filled.map(
    (column) =>
      `(${columnName(column, 'present')} is null and ${columnName(column, 'incoming')} is not null)`,
  );
  const matched = `${columnsEqual(key, 'present', 'incoming')} and (${fits.join(' or ') || 'false'})`;
  const set = filled.map(
    (column) =>
      `${columnName(column)} = coalesce(${columnName(column, 'present')}, ${columnName(column, 'incoming')})`,
  );
  if (target.version)
    set.push(`${columnName(target.version)} = ${columnName(target.version, 'present')} + 1`);
  if (filled.length === 0)
    set.push(`${columnList(key.slice(0, 1))} = ${columnList(key.slice(0, 1), 'present')}`);
  return withCounts(
    `locked as materialized (select ${columnList(target.primaryKey, 'present')} from ${staging.targetTable} present join ${incoming} incoming on ${matched} order by ${columnList(key, 'present')} for no key update of present), ` +
      `updated as (update ${staging.targetTable} present set ${set.join(', ')} from ${incoming} incoming, locked where ${columnsEqual(target.primaryKey, 'present', 'locked')} and ${matched} returning 1)`,
    { updated: 'updated' },
  );
}

/**
 * Deletes the existing rows with the keys of the load. A row that is inserted again continues its version, so that the optimistic lock of
 * earlier readers still fails.
 */
function deleteByKey({ target, staging, key }: StagedLoad): string {
  const { primaryKey, version } = target;
  const locked = version ? [...primaryKey, version] : primaryKey;
  const parts = [
    `refreshed as materialized (select distinct ${columnList(key)} from ${staging.table})`,
    `locked as materialized (select ${columnList(locked, 'present')} from ${staging.targetTable} present join refreshed on ${columnsEqual(key, 'present', 'refreshed')} order by ${columnList([...key, ...primaryKey], 'present')} for update of present)`,
    `deleted as (delete from ${staging.targetTable} present using locked where ${columnsEqual(primaryKey, 'present', 'locked')} returning 1)`,
  ];
  if (version)
    parts.push(
      `counted as (update ${staging.table} incoming set ${columnName(version)} = ${columnName(version, 'locked')} + 1 from locked where ${columnsEqual(primaryKey, 'incoming', 'locked')})`,
    );
  return withCounts(parts.join(', '), { deleted: 'deleted' });
}

/**
 * Inserts the rows in a separate statement. `on delete set null` runs at the end of the statement that deletes, and must not find the new
 * rows, which may reference each other.
 */
function insertAll({ staging, key, incoming }: StagedLoad): string {
  const columns = staging.columns().join(', ');
  return withCounts(
    `inserted as (insert into ${staging.targetTable} (${columns}) select ${columns} from ${incoming} incoming order by ${columnList(key)} returning 1)`,
    { inserted: 'inserted' },
  );
}

/**
 * Serializes `delete_insert` loads of one table by an advisory lock. A row that another transaction has inserted and not committed can't
 * be deleted, and would violate the key.
 */
function lockForReplacing({ staging: { targetTable } }: StagedLoad): string {
  return `select from pg_advisory_xact_lock(hashtextextended(${escapeLiteral(`synth-lab-data: delete_insert into ${targetTable}`)}, 0))`;
}

/** Returns the columns that some row gives and that an existing row may take over. */
function updatableColumns({ target, key, encoder }: StagedLoad): LoadColumn[] {
  return target.columns.filter(
    (column) =>
      !key.includes(column) &&
      !target.primaryKey.includes(column) &&
      column !== target.version &&
      encoder.shapesWith(column).length > 0,
  );
}

/** Returns the value that an existing row gets: the incoming one, or its own where the incoming row leaves the property out. */
function newValue({ staging, key, encoder }: StagedLoad, column: LoadColumn): string {
  const shapes = encoder.shapesWith(column);
  if (shapes === 'all') return columnName(column, 'excluded');
  const given = `(select given.${staging.shapeNumber} in (${shapes.join(', ')}) from ${staging.table} given where ${columnsEqual(key, 'given', 'excluded')} order by given.${staging.rowNumber} desc limit 1)`;
  return `case when ${given} then ${columnName(column, 'excluded')} else ${columnName(column, 'present')} end`;
}

function withCounts(
  parts: string,
  counted: Partial<Record<'inserted' | 'updated' | 'deleted', string>>,
): string {
  const counts = Object.entries(counted).map(
    ([name, from]) => `(select count(*)::double precision from ${from}) as ${name}`,
  );
  return `with ${parts} select ${counts.join(', ')}`;
}
