import type { Send } from '../internals/intercept-queries.ts';

/** Returns the state of what the server keeps for other databases and for roles, to compare with in the same transaction. */
export async function readSharedState(send: Send): Promise<string> {
  const { rows } = await send(
    `select md5(concat(
      (select string_agg(s::text, ',' order by setdatabase, setrole) from pg_db_role_setting s where setdatabase <> own.oid),
      (select string_agg(d::text, ',' order by classoid, objoid) from pg_shdescription d
       where (classoid, objoid) is distinct from ('pg_database'::regclass::oid, own.oid)))) as digest
     from pg_database own where datname = current_database()`,
  );
  return String(rows[0]?.digest);
}

/**
 * Returns which of the catalogs that all databases share this transaction has changed. Changes of other transactions, and of what the
 * server keeps for the connected database alone, don't count. `before` is the state before the change; null where it is not known.
 */
export async function findSharedChanges(send: Send, before: string | null): Promise<string[]> {
  const { rows } = await send(changesQuery);
  const names = rows.map(({ name }) => String(name));
  const ambiguous = names.filter((name) => /^pg_(?:db_role_setting|shdescription)$/.test(name));
  const isUnchanged = ambiguous.length > 0 && before !== null && before === (await readSharedState(send));
  return isUnchanged ? names.filter((name) => !ambiguous.includes(name)) : names;
}

// A visible row is of this transaction if its transaction is in progress, or not yet completed for the snapshot. Older rows have a
// positive age.
const isOwnRow = `age(row.xmin) <= 0 and case when (own.id::text::bigint - age(row.xmin))::text::xid8 < pg_snapshot_xmax(pg_current_snapshot())
  then pg_xact_status((own.id::text::bigint - age(row.xmin))::text::xid8) = 'in progress' else true end`;

// Statements on roles, settings and comments keep their lock on the catalog until the transaction ends; others are found by their rows.
const changesQuery = `
  select distinct name from (select pg_current_xact_id_if_assigned() as id) own, lateral (
    select relation::regclass::text as name from pg_locks
    where pid = pg_backend_pid() and locktype = 'relation' and database = 0
      and mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      and relation in ('pg_authid'::regclass, 'pg_auth_members'::regclass, 'pg_db_role_setting'::regclass, 'pg_shdescription'::regclass,
        to_regclass('pg_parameter_acl'), 'pg_replication_origin'::regclass)
    union all select 'pg_database' from pg_database row where datname <> current_database() and ${isOwnRow}
    union all select 'pg_tablespace' from pg_tablespace row where ${isOwnRow}
    union all select 'pg_shseclabel' from pg_shseclabel row where ${isOwnRow}
    union all select 'pg_replication_origin' from pg_replication_origin row where ${isOwnRow}
    -- A subscription belongs to the database in which it was created.
    union all select 'pg_subscription' from pg_subscription join pg_database d on d.oid = subdbid where datname = current_database()
  ) changed where own.id is not null`;
