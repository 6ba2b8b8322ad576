import { parkedMark } from '../sql/marks/parking-mark.ts';
import { replacedMark } from '../sql/marks/replaced-mark.ts';

/**
 * Returns SQL for the privileges of an object, one fact each. The owner has no name. An object without an ACL has PostgreSQL's initial
 * privileges. Those that exist, or are absent, because of default privileges of this database are marked `by default`.
 */
export function privileges(
  acl: string,
  kind: 'r' | 's' | 'f' | 'n' | 'T',
  owner: string,
  namespace = '0',
): string {
  const defaults = `from pg_default_acl where defaclrole = ${owner}
    and defaclobjtype = '${kind === 's' ? 'S' : kind}'`;
  return `(
    select ${privilegeMembers('state', owner)}
    from (
      select grantee, privilege_type, case
          when exists (select ${defaults.replace(' where', ', aclexplode(defaclacl) given where')}
              and defaclnamespace in (0, ${namespace}) and given.grantee = held.grantee and given.privilege_type = held.privilege_type)
            and not exists (select from aclexplode(acldefault('${kind}', ${owner})) base
              where base.grantee = held.grantee and base.privilege_type = held.privilege_type) then 'by default'
          when bool_or(is_grantable) then 'with grant option' else 'granted' end as state
      from aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) held group by grantee, privilege_type
      union all
      select base.grantee, base.privilege_type, 'by default' from aclexplode(acldefault('${kind}', ${owner})) base
      where not exists (select from aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) held
          where held.grantee = base.grantee and held.privilege_type = base.privilege_type)
        and exists (select ${defaults} and defaclnamespace = 0 and not exists (select from aclexplode(defaclacl) given
          where given.grantee = base.grantee and given.privilege_type = base.privilege_type))
    ) states)`;
}

/** Returns SQL that aggregates privileges as members of a JSON object, in the order of their names. */
export function privilegeMembers(state: string, owner: string): string {
  const name = `format('privilege %s of %s', privilege_type,
      case grantee when 0 then 'public' when ${owner} then 'its owner' else pg_get_userbyid(grantee)::text end)`;
  return `string_agg(format('%s: "%s"', to_json(${name}), ${state}), ', ' order by ${name} collate "C")`;
}

/** Returns a condition: that a table, or a column of it, is not parked. */
export function isNotParked(oid: string, column: string): string {
  return `not exists (select from pg_description where classoid = 'pg_class'::regclass and objoid = ${oid} and objsubid = ${column}
    and starts_with(description, '${parkedMark}'))`;
}

/** Returns a condition: that an object, or a column, does not wait for its drop because another column replaces it. */
export function isNotReplaced(oid: string, catalog: string, column = '0'): string {
  return `not exists (select from pg_description where classoid = '${catalog}'::regclass and objoid = ${oid} and objsubid = ${column}
    and starts_with(description, '${replacedMark}'))`;
}

/** Returns SQL for the comment of an object or column. The index is faster than `obj_description`, a function in SQL. */
export function commentOf(oid: string, catalog: string, column = '0'): string {
  return `(select description from pg_description where objoid = ${oid} and classoid = '${catalog}'::regclass and objsubid = ${column})`;
}

/**
 * Returns SQL for facts, as the members of a JSON object: a text is built several times faster than a `jsonb`. Facts that are null are
 * omitted, also the members that follow them.
 */
export function facts(values: Readonly<Record<string, string>>, ...members: readonly string[]): string {
  const own = Object.entries(values).map(
    ([name, value]) => `'"${name}": ' || to_json((${value})::text)::text`,
  );
  return `concat_ws(', ', ${[...own, ...members].join(', ')})`;
}
