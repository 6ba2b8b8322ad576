import { quoteNames } from '../../sql/quote-names.ts';
import type { RowCondition } from './conditions.ts';
import { columnPart, type Part } from '../rows/part.ts';
import { relationOf, type Relation } from '../rows/relation.ts';
import type { Context } from '../rows/rows-for.ts';

/** A domain of the database, and the columns of this type. */
export interface Domain {
  readonly oid: string;
  readonly label: string;
  readonly columns: readonly { readonly relation: Relation; readonly column: string }[];
}

/** Returns a domain with its columns, those of domains based on it included; null without one. */
export async function findDomain({ session }: Context, names: readonly string[]): Promise<Domain | null> {
  const [domain] = await session.query<{ oid: string; label: string }>(
    `select oid::text as oid, oid::regtype::text as label from pg_type where oid = to_regtype($1) and typtype = 'd'`,
    [quoteNames(names)],
  );
  if (!domain) return null;
  const rows = await session.query<{ oid: string; column: string }>(
    `with recursive derived (oid) as (
       select $1::oid union select t.oid from pg_type t join derived on typbasetype = derived.oid and typtype = 'd'
     )
     select attrelid::text as oid, attname as column from pg_attribute join derived on atttypid = derived.oid
       join pg_class c on c.oid = attrelid and relkind in ('r', 'm') where attnum > 0 and not attisdropped order by 1, attnum`,
    [domain.oid],
  );
  const columns: { relation: Relation; column: string }[] = [];
  for (const { oid, column } of rows) {
    const relation = await relationOf(session, oid);
    if (relation) columns.push({ relation, column });
  }
  return { ...domain, columns };
}

/** Returns the question for each column of a domain whether its values fulfil a CHECK, or are not NULL. */
export function domainConditions({ columns }: Domain, subject: string, check: Part | null): RowCondition[] {
  return columns.map(({ relation, column }) => {
    const value = columnPart(relation, column);
    return {
      kind: check ? 'violations' : 'nulls',
      subject: `${subject}, of ${column}`,
      relation,
      only: true,
      fails: check
        ? `exists (select from (select ${value.sql} as value) as domain where ${check.sql} is false)`
        : `${value.sql} is null`,
      parts: check ? [value, withoutValue(check)] : [value],
    };
  });
}

// `value` is the keyword, and not a column.
function withoutValue({ sql, names }: Part): Part {
  return { sql, names: { ...names, columns: new Set() } };
}
