import type { Constraint } from '../../sql/grammar.ts';
import { notNullScans } from './constraint.ts';
import type { Scan, Unknown } from '../rows/precheck.ts';
import type { Relation } from '../rows/relation.ts';
import type { Context } from '../rows/rows-for.ts';

/** Returns the scan that counts the NULLs in an existing unique index that becomes a primary key. The index itself is without duplicates. */
export async function usedIndexNulls(
  context: Context,
  relation: Relation,
  { contype, indexname }: Constraint,
  only: boolean,
): Promise<(Scan | Unknown)[]> {
  if (contype !== 'CONSTR_PRIMARY') return [];
  const rows = await context.session.query<{ name: string }>(
    `select attname as name from pg_index join pg_class i on i.oid = indexrelid and i.relname = $2
       join pg_attribute a on a.attrelid = indrelid and attnum = any(indkey[0:indnkeyatts - 1])
     where indrelid = $1::oid and not attnotnull`,
    [relation.oid, indexname],
  );
  return notNullScans(
    context,
    relation,
    rows.map(({ name }) => name),
    only,
  );
}
