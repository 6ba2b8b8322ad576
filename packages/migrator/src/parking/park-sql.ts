import { parkedMark, parkingState } from '../sql/marks/parking-mark.ts';

// The blocks find what to park in the catalog, so that a migration needs to name no constraint and no index. What they take away is kept in
// the comment of the first parked column or the table, as PostgreSQL prints it. There it survives a dump.

// With an empty search path, definitions are printed with the names of schemas.
const declared = (
  options: string,
  variables: string,
  body: string,
  target = `options ->> 'table'`,
): string => `do $parking$
declare
  options jsonb := $options$${options}$options$;
  target regclass := ${target};
  names text[] := array(select jsonb_array_elements_text(options -> 'columns'));
  former_path text := current_setting('search_path');
  item record;
  kept jsonb;
${variables}begin
  perform set_config('search_path', '', true);
${body}  perform set_config('search_path', former_path, true);
end
$parking$`;

const refuse = (message: string): string =>
  `raise exception using errcode = '${parkingState}', message = ${message};`;

/** Selects constraints by `condition` as JSON, those that others need first. */
const constraintsWhere = (condition: string): string => `coalesce((
    select jsonb_agg(jsonb_build_object('name', conname, 'definition', pg_get_constraintdef(o.oid), 'comment', obj_description(o.oid, 'pg_constraint'))
      order by contype = 'f', conname)
    from pg_constraint o where ${condition}), '[]')`;

// Other comments may not be JSON.
const parkedName = `case when starts_with(description, '${parkedMark}') then description::jsonb #>> '{parked,name}' end`;

const dropConstraints = `  for item in select value ->> 'name' as name from jsonb_array_elements(kept -> 'constraints') with ordinality order by ordinality desc loop
    execute format('alter table %s drop constraint %I', target, item.name);
  end loop;
`;

const restoreConstraints = `  for item in select value as made from jsonb_array_elements(kept -> 'constraints') loop
    execute format('alter table %s add constraint %I %s', target, item.made ->> 'name', item.made ->> 'definition');
    execute format('comment on constraint %I on %s is %L', item.made ->> 'name', target, item.made ->> 'comment');
  end loop;
`;

const namespace =
  'namespace text := (select nspname from pg_class c join pg_namespace n on n.oid = relnamespace where c.oid = target);';

// Of a partitioned table, PostgreSQL prints the index without those of the partitions.
const indexDefinition = `(
      select case when starts_with(printed, start || 'ONLY ') then start || substr(printed, length(start || 'ONLY ') + 1) else printed end
      from (select pg_get_indexdef(indexrelid) as printed,
        format('CREATE %sINDEX %I ON ', case when indisunique then 'UNIQUE ' end, i.relname) as start) d)`;

/** Selects the partitions and other heirs of the table, whose columns are renamed with its own. */
const heirs = `(with recursive descendant as (
      select inhrelid from pg_inherits where inhparent = target
      union select below.inhrelid from pg_inherits below join descendant on below.inhparent = descendant.inhrelid
    ) select inhrelid::regclass as name, inhrelid as oid from descendant)`;

/** A block that parks columns. */
export function parkColumns(options: string): string {
  return declared(
    options,
    `  numbers smallint[];
  parked text;
  heir record;
`,
    `  for item in select name, a.* from unnest(names) name left join pg_attribute a
    on attrelid = target and attname = name and attnum > 0 and not attisdropped loop
    if item.attname is null then
      ${refuse(`format('table %s has no column %I to park', target, item.name)`)}
    elsif item.attidentity <> '' or item.attgenerated <> '' then
      ${refuse(`format('column %I of table %s is an identity or generated column, which can not be parked', item.name, target)`)}
    end if;
    numbers := numbers || item.attnum;
  end loop;
  kept := jsonb_build_object('columns', to_jsonb(names), 'at', now(),
    'constraints', ${constraintsWhere(`contype in ('p', 'u', 'x', 'c', 'f') and conrelid = target
      and (conkey && numbers or (confrelid = target and confkey && numbers))`)},
    'indexes', coalesce((
      select jsonb_agg(jsonb_build_object('name', indexrelid::regclass::text, 'definition', ${indexDefinition}, 'comment', obj_description(indexrelid, 'pg_class'))
        order by indexrelid::regclass::text)
      from pg_index join pg_class i on i.oid = indexrelid where indrelid = target
        and not exists (select from pg_constraint where conindid = indexrelid and conrelid = target and contype in ('p', 'u', 'x'))
        and exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = indexrelid
          and d.refclassid = 'pg_class'::regclass and d.refobjid = target and d.refobjsubid = any(numbers))), '[]'));
${dropConstraints}  for item in select value ->> 'name' as name from jsonb_array_elements(kept -> 'indexes') loop
    execute 'drop index ' || item.name;
  end loop;
  for item in select attname, attnotnull, atthasdef, col_description(target, attnum) as comment
    from pg_attribute where attrelid = target and attnum = any(numbers) order by array_position(numbers, attnum) loop
    parked := ('parked_' || item.attname)::name;
    for turn in 2 .. 100 loop
      exit when not exists (select from pg_attribute where attrelid = target and attname = parked and not attisdropped);
      parked := ('parked' || turn || '_' || item.attname)::name;
    end loop;
    if item.attnotnull and not item.atthasdef then
      execute format('alter table %s alter column %I drop not null', target, item.attname);
    end if;
    execute format('alter table %s rename column %I to %I', target, item.attname, parked);
    execute format('comment on column %s.%I is %L', target, parked, jsonb_build_object('parked',
      jsonb_build_object('name', item.attname, 'required', item.attnotnull, 'comment', item.comment) || kept));
    kept := kept - 'constraints' - 'indexes';
    for heir in select h.name, col_description(h.oid, attnum) as comment from ${heirs} h join pg_attribute on attrelid = h.oid and attname = parked loop
      execute format('comment on column %s.%I is %L', heir.name, parked, jsonb_build_object('parked',
        jsonb_build_object('of', item.attname, 'comment', heir.comment)));
    end loop;
  end loop;
`,
  );
}

/** A block that puts parked columns back. */
export function unparkColumns(options: string): string {
  return declared(
    options,
    `  found jsonb;
  absent bigint;
  heir record;
`,
    `  for item in select name, attname, description::jsonb -> 'parked' as parked from unnest(names) with ordinality wanted (name, turn)
    left join lateral (select attname, description from pg_attribute a join pg_description d
      on d.classoid = 'pg_class'::regclass and d.objoid = attrelid and d.objsubid = attnum
      where attrelid = target and not attisdropped and ${parkedName} = name
      order by description::jsonb #>> '{parked,at}' desc limit 1) held on true order by turn loop
    found := item.parked;
    if found is null or not (found -> 'columns' @> to_jsonb(names) and to_jsonb(names) @> (found -> 'columns')) then
      ${refuse(`format('column %I of table %s is not parked together with these columns: it was purged, or never parked', item.name, target)`)}
    end if;
    if found -> 'constraints' is not null then kept := found; end if;
    execute format('alter table %s rename column %I to %I', target, item.attname, item.name);
    execute format('comment on column %s.%I is %L', target, item.name, found ->> 'comment');
    for heir in select h.name, description::jsonb -> 'parked' as parked from ${heirs} h join pg_attribute on attrelid = h.oid and attname = item.name
      join pg_description on classoid = 'pg_class'::regclass and objoid = h.oid and objsubid = attnum and starts_with(description, '${parkedMark}') loop
      execute format('comment on column %s.%I is %L', heir.name, item.name, heir.parked ->> 'comment');
    end loop;
    if options -> 'missing' ->> item.name is not null then
      execute format('update %s set %I = %s where %I is null', target, item.name, options -> 'missing' ->> item.name, item.name);
    end if;
    if (found ->> 'required')::boolean then
      execute format('select count(*) from %s where %I is null', target, item.name) into absent;
      if absent > 0 then
        ${refuse(`format('%s rows of table %s were written while its column %I was parked, and have no value of it: give one by the option missing of unpark', absent, target, item.name)`)}
      end if;
      execute format('alter table %s alter column %I set not null', target, item.name);
    end if;
  end loop;
${restoreConstraints}  for item in select value as made from jsonb_array_elements(kept -> 'indexes') loop
    execute item.made ->> 'definition';
    execute format('comment on index %s is %L', item.made ->> 'name', item.made ->> 'comment');
  end loop;
`,
  );
}

/** A block that parks a table. */
export function parkTable(options: string): string {
  return declared(
    options,
    `  parked text;
  ${namespace}
`,
    `  if not exists (select from pg_class where oid = target and relkind in ('r', 'p')) then
    ${refuse(`format('%s is not a table to park', target)`)}
  end if;
  for item in select conname, conrelid::regclass as of from pg_constraint where contype = 'f' and confrelid = target and conrelid <> target loop
    ${refuse(`format('table %s can not be parked: constraint %I of table %s refers to it', target, item.conname, item.of)`)}
  end loop;
  select jsonb_build_object('name', relname, 'at', now(), 'comment', obj_description(oid, 'pg_class'),
    'constraints', ${constraintsWhere(`contype = 'f' and conrelid = target and confrelid <> target`)}, 'indexes', coalesce((
      select jsonb_agg(jsonb_build_object('name', i.relname, 'parked', ('parked_' || i.relname)::name)) from pg_index
        join pg_class i on i.oid = indexrelid where indrelid = target), '[]'))
    into kept from pg_class where oid = target;
${dropConstraints}  -- A later table of the same name may have indexes of the same names.
  for item in select value ->> 'name' as name, value ->> 'parked' as parked from jsonb_array_elements(kept -> 'indexes') loop
    execute format('alter index %I.%I rename to %I', namespace, item.name, item.parked);
  end loop;
  parked := ('parked_' || (kept ->> 'name'))::name;
  execute format('alter table %s rename to %I', target, parked);
  execute format('comment on table %s is %L', target, jsonb_build_object('parked', kept));
`,
  );
}

/** A block that puts a parked table back. */
export function unparkTable(options: string): string {
  return declared(
    options,
    `  ${namespace}
`,
    `  if target is null then
    ${refuse(`format('table %s is not parked: it was purged, or never parked', options ->> 'table')`)}
  end if;
  select description::jsonb -> 'parked' into kept from pg_description where classoid = 'pg_class'::regclass and objoid = target and objsubid = 0;
  execute format('alter table %s rename to %I', target, kept ->> 'name');
  execute format('comment on table %s is %L', target, kept ->> 'comment');
  for item in select value ->> 'name' as name, value ->> 'parked' as parked from jsonb_array_elements(kept -> 'indexes') loop
    execute format('alter index %I.%I rename to %I', namespace, item.parked, item.name);
  end loop;
${restoreConstraints}`,
    `(select c.oid from pg_class c join pg_namespace n on n.oid = relnamespace join pg_description d
      on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0, parse_ident(options ->> 'table') path
    where ${parkedName} = path[cardinality(path)]
      and case cardinality(path) when 1 then pg_table_is_visible(c.oid) else nspname = path[1] end
    order by description::jsonb #>> '{parked,at}' desc limit 1)`,
  );
}
