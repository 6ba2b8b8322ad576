import { MigrationRefusedError } from '../session/errors.ts';
import type { Session } from '../session/session.ts';

/** Quoted names. */
type Tables = Readonly<Record<'log' | 'lease' | 'progress' | 'history', string>>;

interface Found {
  readonly role: string;
  readonly table: string;
  readonly kind: string;
  readonly policies: boolean;
  readonly rules: boolean;
  /** The missing privileges, separated by commas; empty where the role has all. */
  readonly missing: string;
}

/**
 * Refuses tables of which this role may see or change only a part: a log without rows would look as if nothing were applied, and every
 * migration would run again. The server decides, because a list of rows can't show what is missing from it.
 *
 * @throws MigrationRefusedError for row-level security that applies to this role, a rewrite rule, and a view or foreign table.
 */
export async function refusePartialTables(session: Session, tables: Partial<Tables>): Promise<void> {
  for (const { table, role, kind, policies, rules } of await inspect(session, tables)) {
    if (!kindsOfTables.has(kind))
      throw new MigrationRefusedError(
        `${table} is a ${kinds[kind] ?? 'relation of another kind'}, which may hide rows: put a table in its place, with the rows of all applied migrations`,
      );
    if (rules)
      throw new MigrationRefusedError(
        `${table} has a rewrite rule, which may change or discard what is recorded: drop the rule (select rulename from pg_rules)`,
      );
    if (policies)
      throw new MigrationRefusedError(
        `row-level security applies to ${table} for role ${role}, so that it may hide applied migrations: connect as the owner of the table or as a role ` +
          `with bypassrls, or run alter table ${table} disable row level security (for an owner: no force row level security)`,
      );
  }
}

/**
 * Refuses a role that may not record what it runs. Called before the first statement.
 *
 * @throws MigrationRefusedError
 */
export async function refuseMissingPrivileges(session: Session, tables: Tables): Promise<void> {
  for (const { table, role, missing } of await inspect(session, tables)) {
    if (missing === '') continue;
    throw new MigrationRefusedError(
      `role ${role} lacks ${missing} on ${table}, and could not record what it runs: connect as the owner of the migrator's tables, or ` +
        `grant ${missing} on ${table}${missing.includes('insert') ? ', and usage on its sequence,' : ''} to ${role}`,
    );
  }
}

async function inspect(
  session: Session,
  { log, lease, progress, history }: Partial<Tables>,
): Promise<Found[]> {
  return session.query<Found>(
    `select quote_ident(current_user) as role, used.name as table, relkind::text as kind, row_security_active(pg_class.oid) as policies,
       exists (select from pg_rewrite where ev_class = pg_class.oid and ev_enabled <> 'D' and relkind in ('r', 'p')) as rules,
       (select coalesce(string_agg(privilege, ', '), '') from unnest(string_to_array(used.privileges, ' ')) privilege
        where not case privilege
          -- A privilege on the columns that are used is enough.
          when 'delete' then has_table_privilege(pg_class.oid, privilege)
          when 'insert' then has_any_column_privilege(pg_class.oid, privilege) and coalesce(has_sequence_privilege(
            (select d.objid from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
             where d.refobjid = pg_class.oid and d.refclassid = 'pg_class'::regclass and d.deptype = 'a' limit 1), 'usage'), true)
          else has_any_column_privilege(pg_class.oid, privilege) end) as missing
     from (values (1, $1, 'select insert delete'), (2, $2, 'select update'), (3, $3, 'select insert update delete'), (4, $4, 'select insert'))
       used (position, name, privileges)
       join pg_class on pg_class.oid = to_regclass(used.name)
     order by position`,
    [log ?? null, lease ?? null, progress ?? null, history ?? null],
  );
}

const kindsOfTables: ReadonlySet<string> = new Set(['r', 'p']);

const kinds: Readonly<Partial<Record<string, string>>> = {
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
  c: 'composite type',
  i: 'index',
  I: 'partitioned index',
};
