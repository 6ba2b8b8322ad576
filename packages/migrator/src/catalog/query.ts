import {
  commentOf,
  facts,
  isNotParked,
  isNotReplaced,
  privilegeMembers,
  privileges,
} from './facts-in-sql.ts';

// $1 the migrator's schema, $2 the oids of the logs of this chain and others, $3 the schema of this one, or null to describe it too.
const common = `
  member as materialized (select classid, objid from pg_depend where deptype = 'e'),
  namespace as materialized (
    select n.oid, nspname, case nspname when 'public' then '' else quote_ident(nspname) || '.' end as prefix from pg_namespace n
    where nspname !~ '^pg_' and nspname not in ('information_schema', $1)
      and not exists (select from member where classid = 'pg_namespace'::regclass and objid = n.oid)
  ),
  relation as materialized (
    select c.*, prefix, format('%s %s%I', case relkind when 'r' then 'table' when 'p' then 'table' when 'f' then 'foreign table'
        when 'v' then 'view' when 'm' then 'materialized view' when 'c' then 'type' when 'S' then 'sequence' end,
      prefix, relname) as object, concat_ws(' ', relkind = 'S', relowner, relnamespace, relacl) as held
    from pg_class c join namespace n on n.oid = relnamespace
    where relkind in ('r', 'p', 'f', 'v', 'm', 'c', 'S') and c.oid <> all($2::oid[])
      and not exists (select from member where classid = 'pg_class'::regclass and objid = c.oid)
      and not exists (select from pg_depend d where d.objid = c.oid and refobjid = any($2::oid[]) and relkind = 'S')
      and ${isNotParked('c.oid', '0')}
  )`;

// Names of objects other than relations.
const object = {
  schema: `format('schema %I', nspname)`,
  function: `format('%s %s%I(%s)', case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
    prefix, proname, pg_get_function_identity_arguments(p.oid))`,
  type: `format('type %s%I', prefix, typname)`,
  collation: `format('collation %s%I', prefix, collname)`,
  extension: `format('extension %I', extname)`,
  eventTrigger: `format('event trigger %I', evtname)`,
};

const relationFacts = {
  comment: commentOf('c.oid', 'pg_class'),
  options: `array_to_string(c.reloptions, ', ')`,
};

const stateOfIndex = `nullif(concat_ws(', ', case when not (indisvalid and indisready and indislive) then 'invalid' end,
        case when indisreplident then 'the replica identity' end), '')`;

const parts: Readonly<Record<string, string>> = {
  schemas: `
    select ${object.schema}, '', null::int, ${facts({ comment: commentOf('s.oid', 'pg_namespace') }, privileges('nspacl', 'n', 'nspowner'))}
    from namespace join pg_namespace s using (oid, nspname) where nspname is distinct from $3`,

  relations: `
    select object, '', null, ${facts(
      {
        ...relationFacts,
        persistence: `case relpersistence when 'u' then 'unlogged' end`,
        'partitioned by': `case relkind when 'p' then pg_get_partkeydef(c.oid) end`,
        'partition bound': 'pg_get_expr(relpartbound, c.oid)',
        inherits: `(select string_agg(inhparent::regclass::text, ', ' order by inhseqno) from pg_inherits where inhrelid = c.oid)`,
        'access method': `(select amname from pg_am where pg_am.oid = relam)`,
        'replica identity': `case when relkind in ('r', 'p') then case relreplident when 'f' then 'full' when 'n' then 'nothing' end end`,
        'row security': `case when relforcerowsecurity and relrowsecurity then 'forced' when relforcerowsecurity then 'forced, disabled' when relrowsecurity then 'enabled' end`,
        definition: `case when relkind in ('v', 'm') then pg_get_viewdef(c.oid) end`,
        server: `(select srvname || coalesce(' ' || array_to_string(ftoptions, ', '), '') from pg_foreign_table
        join pg_foreign_server f on f.oid = ftserver where ftrelid = c.oid)`,
      },
      'privileges',
    )}
    from relation c join privilege using (held) where relkind <> 'S'`,

  // PostgreSQL 18 lists NOT NULL among the constraints, older versions do not: read with the column in all versions.
  columns: `
    select object, 'column ' || attname, attnum, ${facts(
      {
        type: 'format_type(atttypid, atttypmod)',
        'not null': `case when attnotnull then case when (c.oid, attnum) in (select conrelid, conkey[1]
        from pg_constraint where contype = 'n' and not convalidated) then 'not validated' else 'yes' end end`,
        default: `case when attgenerated = '' then pg_get_expr(adbin, adrelid) end`,
        generated: `case when attgenerated <> '' then pg_get_expr(adbin, adrelid) ||
        case attgenerated when 'v' then ' virtual' else ' stored' end end`,
        identity: `case attidentity when 'a' then 'always' when 'd' then 'by default' end`,
        collation: `case when attcollation <> typcollation then attcollation::regcollation end`,
        storage: `case when attstorage <> typstorage then attstorage end`,
        compression: `nullif(attcompression::text, '')`,
        'statistics target': `nullif(attstattarget, -1)`,
        options: `array_to_string(attoptions, ', ')`,
        comment: commentOf('c.oid', 'pg_class', 'attnum'),
      },
      `case when attacl is not null then (select ${privilegeMembers(`case when is_grantable then 'with grant option' else 'granted' end`, 'relowner')} from aclexplode(attacl)) end`,
    )}
    from relation c join pg_attribute a on attrelid = c.oid join pg_type t on t.oid = atttypid
      left join pg_attrdef d on adrelid = c.oid and adnum = attnum
    where attnum > 0 and not attisdropped and relkind <> 'S' and ${isNotParked('c.oid', 'attnum')}
      and ${isNotReplaced('c.oid', 'pg_class', 'attnum')}`,

  constraints: `
    select object, format('constraint %I', conname), null, ${facts({
      definition: 'pg_get_constraintdef(o.oid)',
      comment: commentOf('o.oid', 'pg_constraint'),
      // As \`alter table … disable trigger all\` leaves a foreign key.
      enforcement: `(select 'disabled' from pg_trigger where tgconstraint = o.oid and tgisinternal and tgenabled <> 'O' limit 1)`,
      index: `pg_get_indexdef(indexrelid)`,
      'index is': stateOfIndex,
      clustered: `case when indisclustered then 'yes' end`,
    })}
    from pg_constraint o join relation c on c.oid = conrelid left join pg_index on indexrelid = conindid and contype in ('p', 'u', 'x')
    where contype not in ('n', 't') and ${isNotReplaced('o.oid', 'pg_constraint')}`,

  indexes: `
    select object, format('index %I', i.relname), null, ${facts({
      definition: 'pg_get_indexdef(i.oid)',
      comment: commentOf('i.oid', 'pg_class'),
      is: stateOfIndex,
      clustered: `case when indisclustered then 'yes' end`,
    })}
    from pg_index x join relation c on c.oid = indrelid join pg_class i on i.oid = indexrelid
    where not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
      and ${isNotReplaced('i.oid', 'pg_class')}
      -- Another session builds it, as REINDEX CONCURRENTLY does under another name.
      and (indisvalid or not exists (select from pg_locks where locktype = 'relation' and relation = indrelid and granted
        and mode = 'ShareUpdateExclusiveLock' and pid <> pg_backend_pid()
        and database = (select oid from pg_database where datname = current_database())))`,

  triggers: `
    select object, format('trigger %I', tgname), null, ${facts({
      definition: 'pg_get_triggerdef(t.oid)',
      comment: commentOf('t.oid', 'pg_trigger'),
      is: `case tgenabled when 'D' then 'disabled' when 'R' then 'for replicas' when 'A' then 'always on' end`,
    })}
    from pg_trigger t join relation c on c.oid = tgrelid where not tgisinternal and ${isNotReplaced('t.oid', 'pg_trigger')}`,

  rules: `
    select object, format('rule %I', rulename), null, ${facts({
      definition: 'pg_get_ruledef(r.oid)',
      comment: commentOf('r.oid', 'pg_rewrite'),
      is: `case ev_enabled when 'D' then 'disabled' when 'R' then 'for replicas' when 'A' then 'always on' end`,
    })}
    from pg_rewrite r join relation c on c.oid = ev_class where rulename <> '_RETURN'`,

  policies: `
    select object, format('policy %I', polname), null, ${facts({
      for: `case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end`,
      is: `case when not polpermissive then 'restrictive' end`,
      roles: `(select string_agg(case role when 0 then 'public' else pg_get_userbyid(role)::text end, ', '
        order by case role when 0 then '' else pg_get_userbyid(role)::text end collate "C") from unnest(polroles) role)`,
      using: 'pg_get_expr(polqual, polrelid)',
      check: 'pg_get_expr(polwithcheck, polrelid)',
      comment: commentOf('p.oid', 'pg_policy'),
    })}
    from pg_policy p join relation c on c.oid = polrelid`,

  statistics: `
    select object, format('statistics %I', stxname), null, ${facts({
      definition: 'pg_get_statisticsobjdef(s.oid)',
      comment: commentOf('s.oid', 'pg_statistic_ext'),
    })}
    from pg_statistic_ext s join relation c on c.oid = stxrelid where ${isNotReplaced('s.oid', 'pg_statistic_ext')}`,

  // A sequence that a column owns is dropped with its table.
  sequences: `
    select coalesce(owner.object, c.object), case when owner.object is null then '' else format('sequence %I', c.relname) end, null,
      ${facts(
        {
          ...relationFacts,
          type: 'seqtypid::regtype',
          start: 'seqstart',
          increment: 'seqincrement',
          minimum: 'seqmin',
          maximum: 'seqmax',
          cache: 'seqcache',
          cycle: `case when seqcycle then 'yes' end`,
          persistence: `case c.relpersistence when 'u' then 'unlogged' end`,
          'owned by': 'quote_ident(attname)',
        },
        'privileges',
      )}
    from relation c join privilege using (held) join pg_sequence on seqrelid = c.oid
      left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
        and d.deptype in ('a', 'i') and d.refobjsubid > 0
      left join relation owner on owner.oid = d.refobjid
      left join pg_attribute a on attrelid = d.refobjid and attnum = d.refobjsubid`,

  functions: `
    select ${object.function}, '', null, ${facts(
      {
        definition: `case when prokind <> 'a' then pg_get_functiondef(p.oid) end`,
        'state function': 'aggtransfn',
        'state type': 'aggtranstype::regtype',
        'initial state': 'agginitval',
        'final function': `nullif(aggfinalfn, 0)`,
        'combine function': `nullif(aggcombinefn, 0)`,
        comment: commentOf('p.oid', 'pg_proc'),
      },
      privileges('proacl', 'f', 'proowner', 'pronamespace'),
    )}
    from pg_proc p join namespace n on n.oid = pronamespace left join pg_aggregate on aggfnoid = p.oid
    where not exists (select from member where classid = 'pg_proc'::regclass and objid = p.oid) and ${isNotReplaced('p.oid', 'pg_proc')}`,

  types: `
    select ${object.type}, '', null, ${facts(
      {
        kind: `case typtype when 'e' then 'enum' when 'd' then 'domain' when 'r' then 'range' end`,
        values: `(select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid)`,
        'based on': `case typtype when 'd' then format_type(typbasetype, typtypmod)
        when 'r' then (select format('%s %s', rngsubtype::regtype, nullif(rngcollation, 0)::regcollation) from pg_range where rngtypid = t.oid) end`,
        'not null': `case when typnotnull then 'yes' end`,
        default: 'typdefault',
        collation: `case when typtype = 'd' then nullif(typcollation, 0)::regcollation end`,
        comment: commentOf('t.oid', 'pg_type'),
      },
      privileges('typacl', 'T', 'typowner', 'typnamespace'),
    )}
    from pg_type t join namespace n on n.oid = typnamespace
    where typtype in ('e', 'd', 'r') and not exists (select from member where classid = 'pg_type'::regclass and objid = t.oid)`,

  'constraints of domains': `
    select ${object.type}, format('constraint %I', conname), null, ${facts({
      definition: 'pg_get_constraintdef(o.oid)',
      comment: commentOf('o.oid', 'pg_constraint'),
    })}
    from pg_constraint o join pg_type t on t.oid = contypid join namespace n on n.oid = typnamespace
    where contype <> 'n' and not exists (select from member where classid = 'pg_type'::regclass and objid = t.oid)`,

  collations: `
    select ${object.collation}, '', null, ${facts({
      definition: `to_jsonb(l) - array['oid', 'collname', 'collnamespace', 'collowner', 'collversion']`,
      comment: commentOf('l.oid', 'pg_collation'),
    })}
    from pg_collation l join namespace n on n.oid = collnamespace
    where not exists (select from member where classid = 'pg_collation'::regclass and objid = l.oid)`,

  // The server decides the version.
  extensions: `
    select ${object.extension}, '', null, ${facts({ schema: 'extnamespace::regnamespace' })} from pg_extension`,

  'event triggers': `
    select ${object.eventTrigger}, '', null, ${facts({
      event: 'evtevent',
      function: 'evtfoid::regprocedure',
      tags: `array_to_string(evttags, ', ')`,
      is: `case evtenabled when 'D' then 'disabled' when 'R' then 'for replicas' when 'A' then 'always on' end`,
    })}
    from pg_event_trigger e
    where not exists (select from member where classid = 'pg_event_trigger'::regclass and objid = e.oid)`,
};

/**
 * Selects all facts of a database's schema, as rows of object, part, position (of a column, with gaps) and the text of a JSON object, in any
 * order. Equal facts have equal texts.
 */
export const catalogQuery = `with ${common},
  -- Most relations have the same privileges.
  privilege as materialized (
    select held, case when relkind = 'S' then ${privileges('relacl', 's', 'relowner', 'relnamespace')}
      else ${privileges('relacl', 'r', 'relowner', 'relnamespace')} end as privileges
    from (select distinct on (held) held, relkind, relacl, relowner, relnamespace from relation) relation
  )
  select object collate "C" as object, part, position, '{' || facts || '}' as facts
  from (${Object.values(parts).join('\n union all ')}) all_of (object, part, position, facts)`;

/** Selects the statements that drop objects ($3, by their names in a catalog), newest first. */
export const dropQuery = `with ${common}, named (object, class, oid) as (
    select object, 'pg_class'::regclass, oid from relation
    union all select ${object.schema}, 'pg_namespace', oid from namespace
    -- Those that PostgreSQL makes for a range type are dropped with it alone.
    union all select ${object.function}, 'pg_proc', p.oid from pg_proc p join namespace n on n.oid = pronamespace
      where not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'i')
    union all select ${object.type}, 'pg_type', t.oid from pg_type t join namespace n on n.oid = typnamespace
      where typtype in ('e', 'd', 'r')
    union all select ${object.collation}, 'pg_collation', l.oid from pg_collation l join namespace n on n.oid = collnamespace
    union all select ${object.extension}, 'pg_extension', oid from pg_extension
    union all select ${object.eventTrigger}, 'pg_event_trigger', oid from pg_event_trigger
  )
  select object, format('drop %s %s', case type when 'composite type' then 'type' when 'aggregate' then 'routine' else type end,
    identity) as sql
  from named, pg_identify_object(class, oid, 0) where object = any($3) order by oid desc`;

/** Selects whether a table exists. */
export const tablesQuery = `with ${common} select exists (select from relation where relkind in ('r', 'p', 'f')) as found`;
