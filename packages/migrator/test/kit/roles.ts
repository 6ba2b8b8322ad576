import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { TestDatabase } from './database.ts';

/** Returns a name that no other test uses. */
export function freshName(): string {
  return `t_${randomBytes(6).toString('hex')}`;
}

/** Creates a role that is dropped after the test, and returns its name and a URL to connect with. */
export async function createRole(db: TestDatabase, options = ''): Promise<{ name: string; url: string }> {
  const name = freshName();
  await db.orm.em.execute(`create role "${name}" login password 'role' ${options}`);
  onTestFinished(async () => {
    await db.orm.em.execute(`drop owned by "${name}" cascade`);
    await db.orm.em.execute(`drop role "${name}"`);
  });
  const url = new URL(db.url);
  [url.username, url.password] = [name, 'role'];
  return { name, url: url.href };
}

/** Returns what all databases of a test's server share, of the objects with a name like `name`. */
export async function sharedObjects({ orm: { em } }: TestDatabase, name: string): Promise<unknown> {
  const like = `%${name}%`;
  return em.execute(
    `select (select json_agg(r order by rolname) from pg_authid r where rolname like ?) as roles,
       (select json_agg(m order by m::text) from pg_auth_members m join pg_roles r on r.oid = member where rolname like ?) as members,
       (select json_agg(d.datname order by datname) from pg_database d where datname like ?) as databases,
       (select json_agg(array[d.datname, d.datacl::text, d.datconnlimit::text, pg_get_userbyid(datdba)]) from pg_database d
        where datname = current_database()) as database,
       (select json_agg(s order by s::text) from pg_db_role_setting s left join pg_database d on d.oid = setdatabase
        left join pg_roles r on r.oid = setrole where datname = current_database() or rolname like ?) as settings,
       (select json_agg(c order by c::text) from pg_shdescription c where description like ?) as comments,
       (select json_agg(s.slot_name) from pg_replication_slots s where slot_name like ?) as slots,
       (select json_agg(s.subname) from pg_subscription s where subname like ?) as subscriptions,
       (select json_agg(o.roname) from pg_replication_origin o where roname like ?) as origins,
       (select json_agg(array[spcname, spcacl::text] order by spcname) from pg_tablespace) as tablespaces,
       (select json_agg(array[name, setting]) from pg_settings where name in ('log_statement', 'work_mem')) as server`,
    [like, like, like, like, like, like, like, like],
  );
}
