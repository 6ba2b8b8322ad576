import type { EntityManager } from '@mikro-orm/postgresql';

/** Which migrations were applied; no part of the schema, since only a migrated database has it. */
export const logTable = 'mikro_orm_migrations';

// Relations of ours; the log's own (its table, key and sequence) all start with its name.
const ours = `relnamespace = 'public'::regnamespace and relname not like '${logTable}%'`;

const parts: Record<string, string> = {
  // PostgreSQL 18 lists NOT NULL among the constraints, older ones don't: it is read with the column, in all of them.
  columns: `
    select format('%s.%s %s %s', relname, row_number() over (partition by c.oid order by attnum), attname,
      concat_ws(' ', format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
        'default ' || pg_get_expr(adbin, adrelid), 'collate ' || collname, nullif(attidentity, ''), nullif(attgenerated, ''),
        attacl::text, 'comment ' || quote_literal(col_description(c.oid, attnum)))) as line
    from pg_class c join pg_attribute a on attrelid = c.oid left join pg_attrdef d on adrelid = c.oid and adnum = attnum
      left join pg_collation l on l.oid = attcollation and collname <> 'default'
    where ${ours} and relkind in ('r', 'p', 'v', 'm', 'f') and attnum > 0 and not attisdropped`,
  constraints: `
    select format('%s.%s %s', relname, conname, concat_ws(' ', pg_get_constraintdef(o.oid),
      case when not convalidated then 'not validated' end)) as line
    from pg_constraint o join pg_class c on c.oid = conrelid where ${ours} and contype <> 'n'`,
  indexes: `
    select format('%s %s', c.relname, concat_ws(' ', pg_get_indexdef(c.oid),
      case when not (indisvalid and indisready and indislive) then 'invalid' end, case when indisclustered then 'clustered' end,
      c.reloptions::text)) as line
    from pg_index join pg_class c on c.oid = indexrelid where ${ours}`,
  triggers: `
    select format('%s %s', pg_get_triggerdef(t.oid), tgenabled) as line
    from pg_trigger t join pg_class c on c.oid = tgrelid where ${ours} and not tgisinternal`,
  relations: `
    select format('%s %s', relname, concat_ws(' ', relkind, relpersistence, relreplident,
      case when relrowsecurity then 'row security' end, reloptions::text, relacl::text,
      'comment ' || quote_literal(obj_description(c.oid, 'pg_class')), case when relkind in ('v', 'm') then pg_get_viewdef(c.oid) end)) as line
    from pg_class c where ${ours} and relkind <> 'i'`,
  sequences: `
    select format('%s %s', relname, concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcycle)) as line
    from pg_sequence join pg_class c on c.oid = seqrelid where ${ours}`,
  functions: `
    select format('%s %s', pg_get_functiondef(oid), proacl::text) as line
    from pg_proc where pronamespace = 'public'::regnamespace and prokind <> 'a'`,
  types: `
    select format('%s %s %s', typname, typtype, (select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum
      where enumtypid = t.oid)) as line
    from pg_type t where typnamespace = 'public'::regnamespace and typtype in ('e', 'd', 'r')`,
  policies: `select format('%s.%s %s %s', tablename, policyname, qual, with_check) as line from pg_policies`,
  schemas: `select nspname as line from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'migrator')`,
  extensions: 'select extname as line from pg_extension',
};

/**
 * All that PostgreSQL knows of the schema, as lines of text by kind, in a fixed order: two databases of one server agree when
 * these are equal.
 */
export async function readCatalog(em: EntityManager): Promise<Record<string, string[]>> {
  const catalog: Record<string, string[]> = {};
  for (const [kind, query] of Object.entries(parts)) {
    const rows = await em.execute<{ line: string }[]>(query);
    catalog[kind] = rows.map(({ line }) => line).toSorted();
  }
  return catalog;
}

/** Each row of each of our tables, as text with every microsecond and digit, in a fixed order. */
export async function readRows(em: EntityManager): Promise<Record<string, string[]>> {
  const tables = await em.execute<{ name: string }[]>(
    `select relname as name from pg_class where ${ours} and relkind = 'r' order by 1`,
  );
  const content: Record<string, string[]> = {};
  for (const { name } of tables) {
    const rows = await em.execute<{ line: string }[]>(`select t::text as line from "${name}" t order by 1`);
    content[name] = rows.map(({ line }) => line);
  }
  return content;
}
