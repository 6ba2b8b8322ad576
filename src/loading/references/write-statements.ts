import { escapeIdentifier } from 'pg';
import { columnList, columnName, columnsEqual } from '../load/column-sql.ts';
import { candidatesTable } from './candidate-statement.ts';
import type { AggregatedColumn, ResolvedTarget } from './resolved-target.ts';

const candidates = `pg_temp.${candidatesTable}`;

/**
 * Returns the statements that write the candidates into their table. Each visits rows in the order of the keys: two backfills of the same
 * parents wait for each other and don't deadlock. Each returns one row of counts: `candidates`, `inserted`, `updated`.
 */
export function writeStatements(target: ResolvedTarget): string[] {
  if (target.mode === 'fill_null_only') return [fillNull(target)];
  const merged = target.columns.filter(({ how }) => how === 'collect_distinct');
  return merged.length === 0
    ? [insertMissing(target)]
    : [insertMissing(target), appendMissing(target, merged)];
}

function insertMissing(target: ResolvedTarget): string {
  const { table, key, columns, generated, tracking } = target;
  const given = [...key, ...columns, ...generated].map(({ column }) => column);
  const into = [...given, ...tracking.map(({ column }) => column)];
  const values = [...given.map((column) => columnName(column)), ...tracking.map(({ value }) => value)];
  const keys = columnList(keyOf(target));
  return (
    `with inserted as (insert into ${table} (${columnList(into)}) select ${values.join(', ')} from ${candidates} ` +
    `order by ${keys} on conflict (${keys}) do nothing returning 1) ` +
    `select ${count('candidates', candidates)}, ${count('inserted', 'inserted')}`
  );
}

function fillNull(target: ResolvedTarget): string {
  const fits = target.columns.map(
    ({ column }) =>
      `(${columnName(column, 'present')} is null and ${valueToFill(column.name, target)} is not null)`,
  );
  const set = [
    ...target.columns.map(({ column }) => [column, valueToFill(column.name, target)] as const),
    ...target.tracking.map(({ column, value }) => [column, value] as const),
  ].map(([column, value]) => `${columnName(column)} = coalesce(${columnName(column, 'present')}, ${value})`);
  return (
    `${updated(target, set, `(${fits.join(' or ')})`)} ` +
    `select ${count('candidates', candidates)}, ${count('updated', 'updated')}`
  );
}

/** Returns the SQL of the value to fill in. An empty array counts as NULL: it adds no information. */
function valueToFill(column: string, { columns }: ResolvedTarget): string {
  const value = `candidate.${escapeIdentifier(column)}`;
  const collects = columns.some((one) => one.column.name === column && one.how === 'collect_distinct');
  return collects ? `nullif(${value}, '[]')` : value;
}

/** Appends to the arrays of existing parents the elements that they lack. A value that is not an array stays unchanged. */
function appendMissing(target: ResolvedTarget, merged: readonly AggregatedColumn[]): string {
  const arrays = merged.map(({ column }) => {
    const [present, collected] = [columnName(column, 'present'), columnName(column, 'candidate')];
    const old = `case jsonb_typeof(${present}) when 'array' then ${present} else '[]' end`;
    const lacking = `from jsonb_array_elements(${collected}) with ordinality as new(element, at) where not exists (select from jsonb_array_elements(${old}) as old(element) where old.element = new.element)`;
    const fits = `((${present} is null or jsonb_typeof(${present}) = 'array') and exists (select ${lacking}))`;
    const value = `case when ${fits} then ${old} || (select jsonb_agg(new.element order by new.at) ${lacking}) else ${present} end`;
    return { fits, set: `${columnName(column)} = ${value}` };
  });
  const set = arrays.map((array) => array.set);
  return `${updated(target, set, `(${arrays.map(({ fits }) => fits).join(' or ')})`)} select ${count('updated', 'updated')}`;
}

/**
 * Updates the rows with the keys of candidates for which `fits` holds. It locks them first, in the order of their keys, and evaluates
 * `fits` on the locked version of a row.
 */
function updated(target: ResolvedTarget, set: readonly string[], fits: string): string {
  const { table, version } = target;
  const matched = `${columnsEqual(keyOf(target), 'present', 'candidate')} and ${fits}`;
  const counted = version ? [...set, `${columnName(version)} = ${columnName(version, 'present')} + 1`] : set;
  return (
    `with locked as materialized (select ${columnList(keyOf(target), 'present')} from ${table} present join ${candidates} candidate on ${matched} ` +
    `order by ${columnList(keyOf(target), 'present')} for no key update of present), ` +
    `updated as (update ${table} present set ${counted.join(', ')} from ${candidates} candidate, locked ` +
    `where ${columnsEqual(keyOf(target), 'present', 'locked')} and ${matched} returning 1)`
  );
}

function keyOf({ key }: ResolvedTarget): ResolvedTarget['key'][number]['column'][] {
  return key.map(({ column }) => column);
}

function count(name: string, from: string): string {
  return `(select count(*)::double precision from ${from}) as ${name}`;
}
