import type { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery, sql, type Expression } from 'kysely';

// Each maps the case of every letter, in all databases of a server alike. The first maps as the second, in half the time.
const collations = ['pg_unicode_fast', 'und-x-icu', 'pg_c_utf8'] as const;

/** The collation by which texts are compared; null where the server has none of those, or the database is not in UTF-8. */
export type TextCollation = (typeof collations)[number] | null;

const known = new WeakMap<object, TextCollation>();

/**
 * Returns the collation for texts: that of the index on them, where there is one. The server is asked once for each ORM: PostgreSQL 18 has
 * the first, every server with ICU the second, and PostgreSQL 17 the third.
 */
export async function textCollation(em: EntityManager): Promise<TextCollation> {
  const found = known.get(em.config);
  if (found !== undefined) return found;
  const { rows } = await em.getKysely().executeQuery<{ name: string }>(
    CompiledQuery.raw(
      `select collname as name from pg_collation left join pg_index on indexrelid = to_regclass('idx_synths_text')
       where collname = any($1) and collnamespace = 'pg_catalog'::regnamespace and getdatabaseencoding() = 'UTF8'
       order by pg_collation.oid = any(indcollation::oid[]) desc nulls last, array_position($1, collname::text) limit 1`,
      [[...collations]],
    ),
  );
  const collation = collations.find((name) => name === rows[0]?.name) ?? null;
  known.set(em.config, collation);
  return collation;
}

/**
 * Returns the condition that one of the columns contains a text. Both are compared in upper case and NFKC. Without a collation, `ilike`
 * compares them, which depends on the locale of the database.
 */
export function containsText(
  columns: readonly Expression<unknown>[],
  text: unknown,
  collation: TextCollation,
): Expression<unknown> {
  const wanted = sql`${text}::text`;
  const conditions = columns.map((column) =>
    collation === null
      ? sql`${column} ilike ${containing(wanted)} escape '!'`
      : sql`${comparable(column, collation)} like ${containing(upper(sql`normalize(${wanted}, NFKC)`, collation))} escape '!'`,
  );
  return sql`(${sql.join(conditions, sql` or `)})`;
}

/** Returns the form of a column in which texts are compared. ASCII is in NFKC as it is: to normalize it would take four times as long. */
function comparable(column: Expression<unknown>, collation: string): Expression<unknown> {
  const isAscii = sql`octet_length(${column}) = char_length(${column})`;
  return upper(sql`case when ${isAscii} then ${column} else normalize(${column}, NFKC) end`, collation);
}

// Not `lower`: a capital sigma has two small letters, by its place in a word.
function upper(text: Expression<unknown>, collation: string): Expression<unknown> {
  return sql`upper((${text}) collate ${sql.id(collation)})`;
}

// By `replace` and not in JavaScript: NFKC makes wildcards of the wide forms of `%` and `_`.
function containing(text: Expression<unknown>): Expression<unknown> {
  return sql`'%' || replace(replace(replace(${text}, '!', '!!'), '%', '!%'), '_', '!_') || '%'`;
}
