import { escapeLiteral } from 'pg';
import type { LoadMode } from './load-options.ts';
import type { LoadColumn, LoadTarget } from './load-target.ts';
import type { RowsToCopy } from './rows-to-copy.ts';
import { list, named, same, type Staging } from './staging.ts';

/** The modes that copy rows to a temporary table first. */
export type StagedMode = Exclude<LoadMode, 'append'>;

/** What the statement of a load is made from. */
export interface StagedLoad {
  readonly target: LoadTarget;
  readonly staging: Staging;
  readonly key: readonly LoadColumn[];
  /** The table, or the part of it, that the rows are taken from: one for each key, where the key is unique. */
  readonly incoming: string;
  readonly copied: RowsToCopy;
}

/** The statements that bring staged rows into their table; those that write give what they did. */
export function stagedStatements(mode: StagedMode, load: StagedLoad): string[] {
  return statements[mode](load);
}

const statements: Readonly<Record<StagedMode, (load: StagedLoad) => string[]>> = {
  upsert: (load) => [...upsertIndex(load), upsert(load)],
  delete_insert: (load) => [takeTurns(load), deleteRefreshed(load), insertAll(load)],
  insert_missing: (load) => [insertMissing(load)],
  fill_null: (load) => [fillNull(load)],
};

// Each goes through the rows in the order of their keys, so that two loads of the same keys wait for each other and don't lock each
// other out; and each counts what it did: `inserted`, `updated`, `deleted`.

/** Inserts the rows whose key is not there. */
function insertMissing({ staging, key, incoming }: StagedLoad): string {
  return counting(
    `inserted as (insert into ${staging.into} (${staging.columns().join(', ')}) select ${staging.columns().join(', ')} from ${incoming} incoming order by ${list(key)} on conflict (${list(key)}) do nothing returning 1)`,
    { inserted: 'inserted' },
  );
}

/** Inserts the rows whose key is not there, and changes the others where they differ. A row keeps its own primary key. */
function upsert(load: StagedLoad): string {
  const { target, staging, key, incoming } = load;
  const changed = changeable(load);
  if (changed.length === 0) return insertMissing(load);
  const set = changed.map((column) => `${named(column)} = ${newValue(load, column)}`);
  if (target.version) set.push(`${named(target.version)} = ${named(target.version, 'present')} + 1`);
  return counting(
    `written as (insert into ${staging.into} as present (${staging.columns().join(', ')}) select ${staging.columns().join(', ')} from ${incoming} incoming order by ${list(key)} ` +
      `on conflict (${list(key)}) do update set ${set.join(', ')} ` +
      `where (${list(changed, 'present')}) is distinct from (${changed.map((column) => newValue(load, column)).join(', ')}) ` +
      // Only a row that was there had been locked.
      `returning xmax = 0 as is_new)`,
    { inserted: 'written where is_new', updated: 'written where not is_new' },
  );
}

/** The index that `upsert` looks rows up by, where some give a property that others leave out. */
function upsertIndex(load: StagedLoad): string[] {
  const { staging, key, copied } = load;
  const uneven = changeable(load).some((column) => copied.shapesWith(column) !== 'all');
  return uneven ? [`create index on ${staging.table} (${list(key)}, ${staging.row})`] : [];
}

/** Writes into the rows that are there, where they hold NULL. */
function fillNull(load: StagedLoad): string {
  const { target, staging, key, incoming } = load;
  const filled = changeable(load).filter(({ nullable }) => nullable);
  const fits = filled.map(
    (column) => `(${named(column, 'present')} is null and ${named(column, 'incoming')} is not null)`,
  );
  const matched = `${same(key, 'present', 'incoming')} and (${fits.join(' or ') || 'false'})`;
  const set = filled.map(
    (column) => `${named(column)} = coalesce(${named(column, 'present')}, ${named(column, 'incoming')})`,
  );
  if (target.version) set.push(`${named(target.version)} = ${named(target.version, 'present')} + 1`);
  if (filled.length === 0) set.push(`${list(key.slice(0, 1))} = ${list(key.slice(0, 1), 'present')}`);
  return counting(
    `locked as materialized (select ${list(target.primaryKey, 'present')} from ${staging.into} present join ${incoming} incoming on ${matched} order by ${list(key, 'present')} for no key update of present), ` +
      `updated as (update ${staging.into} present set ${set.join(', ')} from ${incoming} incoming, locked where ${same(target.primaryKey, 'present', 'locked')} and ${matched} returning 1)`,
    { updated: 'updated' },
  );
}

/**
 * Deletes what is there under the keys of the rows. The version of a row that is there again goes on, so that whoever read it before
 * is still refused.
 */
function deleteRefreshed({ target, staging, key }: StagedLoad): string {
  const { primaryKey, version } = target;
  const locked = version ? [...primaryKey, version] : primaryKey;
  const parts = [
    `refreshed as materialized (select distinct ${list(key)} from ${staging.table})`,
    `locked as materialized (select ${list(locked, 'present')} from ${staging.into} present join refreshed on ${same(key, 'present', 'refreshed')} order by ${list([...key, ...primaryKey], 'present')} for update of present)`,
    `deleted as (delete from ${staging.into} present using locked where ${same(primaryKey, 'present', 'locked')} returning 1)`,
  ];
  if (version)
    parts.push(
      `counted as (update ${staging.table} incoming set ${named(version)} = ${named(version, 'locked')} + 1 from locked where ${same(primaryKey, 'incoming', 'locked')})`,
    );
  return counting(parts.join(', '), { deleted: 'deleted' });
}

/**
 * Inserts the rows, in a statement of its own: at the end of that which deletes, foreign keys clear what points at the deleted rows,
 * and must not find the new ones, which may point at each other.
 */
function insertAll({ staging, key, incoming }: StagedLoad): string {
  const columns = staging.columns().join(', ');
  return counting(
    `inserted as (insert into ${staging.into} (${columns}) select ${columns} from ${incoming} incoming order by ${list(key)} returning 1)`,
    { inserted: 'inserted' },
  );
}

/** Makes loads that delete and insert take turns: what another has yet to commit can't be deleted, and would be in the way. */
function takeTurns({ staging: { into } }: StagedLoad): string {
  return `select from pg_advisory_xact_lock(hashtextextended(${escapeLiteral(`synth-lab-data: delete_insert into ${into}`)}, 0))`;
}

/** Properties that some row gives and that a row which is there may take over. */
function changeable({ target, key, copied }: StagedLoad): LoadColumn[] {
  return target.columns.filter(
    (column) =>
      !key.includes(column) &&
      !target.primaryKey.includes(column) &&
      column !== target.version &&
      copied.shapesWith(column).length > 0,
  );
}

/** What a row that is there takes over; its own value, where the row that comes gives none. */
function newValue({ staging, key, copied }: StagedLoad, column: LoadColumn): string {
  const shapes = copied.shapesWith(column);
  if (shapes === 'all') return named(column, 'excluded');
  const given = `(select given.${staging.shape} in (${shapes.join(', ')}) from ${staging.table} given where ${same(key, 'given', 'excluded')} order by given.${staging.row} desc limit 1)`;
  return `case when ${given} then ${named(column, 'excluded')} else ${named(column, 'present')} end`;
}

function counting(
  parts: string,
  counted: Partial<Record<'inserted' | 'updated' | 'deleted', string>>,
): string {
  const counts = Object.entries(counted).map(
    ([name, from]) => `(select count(*)::double precision from ${from}) as ${name}`,
  );
  return `with ${parts} select ${counts.join(', ')}`;
}
